/** One thing that was looked at. `remedy` says how to get what is missing, and who needs it. */
export interface Finding {
  subject: string
  state: 'ok' | 'missing' | 'broken'
  detail: string
  remedy?: string
}
