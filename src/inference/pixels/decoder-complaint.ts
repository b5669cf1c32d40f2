/** What libvips says of an image that it cannot decode: each complaint once, without the names of its own parts. */
export function decoderComplaint(message: string): string {
  const complaints = message
    .split('\n')
    .map((line) => line.replace(/^Input buffer has corrupt header:/, '').replace(/^\s*\w+: /, ''))
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return [...new Set(complaints)].join('; ') || 'its header is damaged'
}
