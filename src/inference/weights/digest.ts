import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { LeadlineError } from '../../errors.ts'

/** SHA-256 in lower-case hexadecimal. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The bytes of a file whose digest is known. Throws MODEL_FILE_INVALID when it is missing or another. */
export async function readVerified(path: string, digest: string): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new LeadlineError('MODEL_FILE_INVALID', `${path} cannot be read; add the model again`, { cause })
  }
  const found = digestOf(bytes)
  if (found !== digest)
    throw new LeadlineError(
      'MODEL_FILE_INVALID',
      `${path} has SHA-256 ${found}, its manifest says ${digest}; the file was changed or cut, add the model again`
    )
  return bytes
}
