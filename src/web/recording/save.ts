/** Let the browser save it under this name. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = Object.assign(document.createElement('a'), { href: url, download: name })
  link.click()
  // By then the browser has taken it: https://html.spec.whatwg.org/#downloading-hyperlinks
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** `leadline-2026-01-31-140502.png`, in the time of whoever saves it. */
export function fileName(extension: string, now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('-')
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join('')
  return `leadline-${date}-${time}.${extension}`
}
