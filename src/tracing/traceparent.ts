export interface TraceIds {
  traceId: string
  spanId: string
}

/** Of a span that is looked at, as W3C's Trace Context writes it (version 00). */
export function writeTraceparent({ traceId, spanId }: TraceIds): string {
  return `00-${traceId}-${spanId}-01`
}

/** Null: it is none, or not looked at. */
export function parseTraceparent(text: string): TraceIds | null {
  const [, traceId, spanId] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(text) ?? []
  return traceId === undefined || spanId === undefined ? null : { traceId, spanId }
}
