import { LeadlineError } from '../errors.ts'

/** What `promise` gives. Throws REQUEST_TIMEOUT when that takes longer than `limitMs`; then nobody waits for it any more. */
export async function inTime<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const detail = `The body of the request stopped for ${limitMs} ms, or is too slow; send it again`
    timer = setTimeout(() => reject(new LeadlineError('REQUEST_TIMEOUT', detail)), limitMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
