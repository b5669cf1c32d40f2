import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { temporaryFolder } from '../video/clip-file.ts'

test.each(['/', '/main.js'])('%s may load nothing from elsewhere and run nothing inline', async (url) => {
  const pageFolder = await temporaryFolder()
  await writeFile(path.join(pageFolder, 'index.html'), '<!doctype html>')
  await writeFile(path.join(pageFolder, 'main.js'), '')
  const { app } = await testApp({ pageFolder })
  const { statusCode, headers } = await app.inject({ url })
  expect(statusCode).toBe(200)
  const policy = String(headers['content-security-policy']).split(';')
  expect(policy).toContain("default-src 'none'")
  for (const kind of ['script-src', 'style-src', 'connect-src']) expect(policy).toContain(`${kind} 'self'`)
  // No 'unsafe-inline', 'unsafe-eval' or 'wasm-unsafe-eval', no site by name, and no scheme but that of what the page made.
  const sources = policy.flatMap((rule) => rule.split(' ').slice(1))
  expect(new Set(sources)).toEqual(new Set(["'none'", "'self'", 'blob:']))
})
