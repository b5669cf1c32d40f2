import fastifyMultipart from '@fastify/multipart'
import type { FastifyInstance } from 'fastify'

/** Forms with a file, a second one that is refused by name, and a few short fields. @see https://github.com/fastify/fastify-multipart */
export async function readForms(app: FastifyInstance): Promise<void> {
  await app.register(fastifyMultipart, { limits: { files: 2, fields: 16, fieldSize: 4096, parts: 18 } })
}
