import type { Caller } from '../../access/index.ts'
import type { ClipRequest } from '../../clips/index.ts'

/** With the address that is told how the clip ends: its own, or else that of its key. An empty one is none. */
export function withWebhook({ webhook: own, ...wishes }: ClipRequest, { key }: Caller): ClipRequest {
  const webhook = own ?? key?.webhook ?? ''
  return webhook === '' ? wishes : { ...wishes, webhook }
}
