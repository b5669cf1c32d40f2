import { access } from 'node:fs/promises'
import path from 'node:path'
import Value from 'typebox/value'
import { LeadlineError } from '../../errors.ts'
import { manifestSchema } from '../../manifest.ts'

/**
 * The folder that a model to be added will have. Throws REQUEST_INVALID for a name that cannot be one and
 * MODEL_FILE_INVALID for one that is taken: worth knowing before a long download.
 */
export async function newModelDirectory(modelsDir: string, name: string): Promise<string> {
  if (!Value.Check(manifestSchema.properties.name, name))
    throw new LeadlineError(
      'REQUEST_INVALID',
      `"${name}" cannot be the name of a model: at most 64 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit; choose one with --name`
    )
  const directory = path.join(modelsDir, name)
  if (await exists(directory))
    throw new LeadlineError('MODEL_FILE_INVALID', `${directory} exists; choose another name or remove it first`)
  return directory
}

async function exists(target: string): Promise<boolean> {
  try {
    await access(target)
    return true
  } catch {
    return false
  }
}
