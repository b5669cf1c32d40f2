import Type from 'typebox'
import Value from 'typebox/value'
import { clipSchema } from '../clip.ts'
import type { StoredClip } from './clip-storage.ts'

const storedSchema = Type.Object({
  ...clipSchema.properties,
  owner: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  strikes: Type.Optional(Type.Integer()),
  isTold: Type.Optional(Type.Boolean())
})

/** The text of a clip's document. */
export function documentOf({ clip, ...rest }: StoredClip): string {
  return JSON.stringify({ ...clip, ...rest }, null, 2)
}

/** Throws what says why it is no clip's. */
export function storedOf(id: string, row: string): StoredClip {
  const stored: unknown = JSON.parse(row)
  if (!Value.Check(storedSchema, stored)) throw new Error(`its document is not a clip's`)
  if (stored.id !== id) throw new Error(`its document is that of clip ${stored.id}`)
  const { owner = null, strikes = 0, isTold, ...clip } = stored
  return { clip, owner, strikes, ...(isTold === undefined ? {} : { isTold }) }
}
