import fastifyMultipart from '@fastify/multipart'
import type { FastifyInstance } from 'fastify'

/** Forms with one file and a few short fields. @see https://github.com/fastify/fastify-multipart */
export async function readForms(app: FastifyInstance): Promise<void> {
  await app.register(fastifyMultipart, { limits: { files: 1, fields: 16, fieldSize: 4096, parts: 17 } })
}
