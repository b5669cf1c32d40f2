import type { Static } from 'typebox'
import Type from 'typebox'
import type { Clip } from '../../clips/index.ts'
import { clipSchema } from '../../clips/index.ts'

/** What may be done with a clip, by the names of OpenAPI. */
export const clipOperations = ['getClip', 'watchClip', 'cancelClip', 'deleteClip']

export const clipParams = Type.Object({ id: Type.String({ format: 'uuid', description: 'Id of the clip' }) })

const linksSchema = Type.Object(
  {
    self: Type.String(),
    results: Type.Record(Type.String(), Type.String(), {
      description: 'Result name to link; empty until done'
    })
  },
  { description: 'Relative to the address that gave this document (RFC 3986)' }
)
/** A clip as clients see it. */
export const clipResponse = Type.Object({ ...clipSchema.properties, links: linksSchema })
export type ClipDocument = Clip & { links: Static<typeof linksSchema> }

/** From the address that a document is got from to the clips: that of all clips, of one, or of what a clip has. */
export type FolderOfClips = 'clips/' | '' | '../'

/** Links are relative to the address of the document they stand in, so that they hold behind any proxy. */
export function withLinks(clip: Clip, folder: FolderOfClips): ClipDocument {
  const self = `${folder}${clip.id}`
  const names = clip.state === 'done' ? clip.results : []
  const results = Object.fromEntries(names.map((name) => [name, `${self}/results/${name}`]))
  return { ...clip, links: { self, results } }
}
