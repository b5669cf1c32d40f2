/** Of `WIDTHxHEIGHT`, whole numbers above 0; null: it is something else. */
export function parseSize(text: string): { width: number; height: number } | null {
  const [, width, height] = /^([1-9]\d*)x([1-9]\d*)$/.exec(text) ?? []
  return width === undefined || height === undefined ? null : { width: Number(width), height: Number(height) }
}
