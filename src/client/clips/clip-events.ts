/** An event of a server (WHATWG HTML, 9.2). */
export interface ServerEvent {
  id: string
  data: string
}

/** The events of a body, as they come. One that is cut in the middle is not told. */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>
): AsyncGenerator<ServerEvent, void, undefined> {
  const reader = body.pipeThrough(new TextDecoderStream() as never) as ReadableStream<string>
  const pieces = reader.getReader()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await pieces.read()
      if (done) return
      text += value
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const event = eventOf(text.slice(0, end))
        text = text.slice(end + 2)
        if (event !== null) yield event
      }
    }
  } finally {
    await pieces.cancel().catch(() => undefined)
  }
}

/** null: a comment, or a word about coming back. */
function eventOf(lines: string): ServerEvent | null {
  const fields = new Map<string, string>()
  for (const line of lines.split('\n')) {
    const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? []
    fields.set(name, value)
  }
  const data = fields.get('data')
  return data === undefined ? null : { id: fields.get('id') ?? '', data }
}
