import path from 'node:path'

/** As much as two lines of a terminal hold beside what is said around it; the log has all of it. */
const maxLength = 160

/**
 * What ONNX Runtime says of a device that failed, without where in its own source and in which folder that was. Other
 * complaints are ours, and say what to do.
 */
export function deviceComplaint(message: string): string {
  const library = /Failed to load library (\S+) with error: (?:\S*\/\S+: )?(.+)/s.exec(message)
  if (library) return cut(`${path.basename(library[1]!)} cannot be loaded (${oneLine(library[2]!)})`)
  const [, cause] = /\[ONNXRuntimeError\] : \d+ : \w+ : (.*)$/s.exec(message) ?? []
  return cause === undefined ? message.trim() : cut(oneLine(cause))
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function cut(text: string): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
}
