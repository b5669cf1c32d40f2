import type { FastifyInstance } from 'fastify'
import { stringify } from 'yaml'

/** The HTTP contract as YAML, the same for the same routes. Registers nothing and listens to nothing. */
export async function openapiDocument(app: FastifyInstance): Promise<string> {
  await app.ready()
  // Through JSON: TypeBox schemas carry hidden marks, and one object used twice would become a YAML alias.
  const document: unknown = JSON.parse(JSON.stringify(app.swagger()))
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 110 })
}
