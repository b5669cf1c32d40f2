import { readFile } from 'node:fs/promises'
import Value from 'typebox/value'
import { LeadlineError } from '../../errors.ts'
import { manifestSchema, type Manifest } from '../../manifest.ts'
import { architectureFault, sizeMultiple } from '../weights/architecture-rules.ts'

export const manifestFileName = 'manifest.json'

/** Reads and checks a manifest. Throws MODEL_FILE_INVALID with the file and the field at fault. */
export async function readManifest(path: string): Promise<Manifest> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new LeadlineError('MODEL_FILE_INVALID', `${path} cannot be read; add the model again`, { cause })
  }
  return parseManifest(text, path)
}

/** `source` names the text in error messages. */
function parseManifest(text: string, source: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new LeadlineError('MODEL_FILE_INVALID', `${source} is not JSON; add the model again`, { cause })
  }
  return checkManifest(value, source)
}

export function checkManifest(value: unknown, source: string): Manifest {
  if (Value.Check(manifestSchema, value)) {
    const fault = manifestFault(value)
    if (fault === null) return value
    throw new LeadlineError('MODEL_FILE_INVALID', `${source}: ${fault}; correct it or add the model again`)
  }
  const [first] = Value.Errors(manifestSchema, value)
  const field = first?.instancePath.slice(1).replaceAll('/', '.') || 'the document'
  throw new LeadlineError('MODEL_FILE_INVALID', `${source}: ${field} ${first?.message}; correct it or add the model again`)
}

/** What the schema cannot say. */
function manifestFault({ architecture, resolution }: Manifest): string | null {
  const fault = architectureFault(architecture)
  if (fault !== null) return `architecture.${fault}`
  const { multiple } = resolution
  const least = sizeMultiple(architecture)
  if (multiple % least === 0) return null
  return `resolution.multiple is ${multiple}, and the network takes sides in multiples of ${least}`
}
