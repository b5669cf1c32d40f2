import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { addKey } from '../helpers/keys.ts'
import { openStream } from '../helpers/stream-client.ts'
import { makeClip, temporaryFolder } from '../video/clip-file.ts'
import { parse } from './parse.ts'

async function keyFile(text: string): Promise<string> {
  const file = path.join(await temporaryFolder(), 'key')
  await writeFile(file, text)
  return file
}

test('sessions, stream and clip show the key of a file', async () => {
  const { listen, keys } = await testApp({ config: { auth: 'keys' } })
  const url = await listen()
  const { value, headers } = await addKey(keys)
  const shown = ['--url', url, '--key-file', await keyFile(`${value}\n`)]
  const { ready } = await openStream(url, {}, { headers })
  expect(JSON.parse((await parse(['sessions', ...shown])).stdout)).toMatchObject({ id: ready.session })
  expect((await parse(['sessions', 'end', ready.session, ...shown])).exitCode).toBe(0)
  const outDir = await temporaryFolder()
  const video = await makeClip(path.join(outDir, 'walk.mp4'), 3)
  expect(await parse(['stream', video, ...shown, '--json'])).toMatchObject({ exitCode: 0 })
  expect(await parse(['clip', video, ...shown, '--json', '--out-dir', outDir])).toMatchObject({ exitCode: 0 })
  expect(await parse(['stream', video, '--url', url])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('This needs a key')
  })
})

test('the key of the environment is shown where there is no file', async () => {
  const { listen, keys } = await testApp({ config: { auth: 'keys' } })
  const url = await listen()
  vi.stubEnv('LEADLINE_KEY', (await addKey(keys)).value)
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(await parse(['sessions', '--url', url])).toMatchObject({ exitCode: 0 })
})

test('what is no key is not shown to anybody, and not printed', async () => {
  const file = await keyFile('two\nlines')
  const told = await parse(['sessions', '--key-file', file, '--url', 'http://127.0.0.1:1'])
  expect(told).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`${file} does not hold a key`) })
  expect(told.stderr).not.toContain('lines')
  expect(await parse(['sessions', '--key-file', '/nowhere/key'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/--key-file \/nowhere\/key cannot be read: ENOENT/)
  })
})
