import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { connectStream } from '../../../src/client/index.ts'
import { makeClip, temporaryFolder } from '../../video/clip-file.ts'
import { startLeadline } from '../leadline-process.ts'
import { parse } from '../parse.ts'

const timeout = 120_000

test(
  'a client of any kind is recorded until Ctrl-C, and replayed by another server',
  { timeout },
  async () => {
    const file = path.join(await temporaryFolder(), 'a.recording')
    const recording = startLeadline(['record', file])
    const [, url = ''] = await recording.printed(/connect to (ws:\S+)/)
    const stream = await connectStream({ url, config: { delivery: 'lossless' } })
    for (let seq = 0; seq < 5; seq++)
      await stream.send({
        data: new Uint8Array(64 * 48 * 3).fill(9 * seq),
        codec: 'rgb24',
        width: 64,
        height: 48
      })
    await stream.close()
    recording.child.kill('SIGINT')
    expect(await recording.exited).toBe(0)
    expect(recording.stdout).toMatch(/\d+ messages are in .*a\.recording/)

    const replayed = startLeadline(['replay', file])
    expect(await replayed.exited, replayed.stderr).toBe(0)
    expect(JSON.parse(replayed.stdout)).toMatchObject({ equal: 5, sessions: 1 })
  }
)

test('a streamed video is recorded, and a difference exits with 1 and says where', { timeout }, async () => {
  const folder = await temporaryFolder()
  const file = path.join(folder, 'a.recording')
  const clip = await makeClip(path.join(folder, 'a.mp4'), 12)
  const streamed = startLeadline(['stream', clip, '--json', '--record', file])
  expect(await streamed.exited, streamed.stderr).toBe(0)
  const text = await readFile(file, 'utf8')
  // The first depth map becomes an empty one of the same form.
  const [depth = ''] = /\{[^\n]*"from":"server","base64"[^\n]*\}/.exec(text) ?? []
  const { base64, ...rest } = JSON.parse(depth) as { base64: string }
  const blank = Buffer.from(base64, 'base64').fill(0, 64)
  await writeFile(file, text.replace(depth, JSON.stringify({ ...rest, base64: blank.toString('base64') })))
  const replayed = startLeadline(['replay', file, '--json'])
  expect(await replayed.exited).toBe(1)
  expect(replayed.stderr).toMatch(
    /^leadline: 1 of \d+ outcomes differ, the first: frame 0 of s_\S+: \d+ of the/
  )
})

test('a recording that is not there is named', async () => {
  const { stderr, exitCode } = await parse(['replay', 'nowhere.recording'])
  expect(stderr).toMatch(/"nowhere.recording" cannot be read/)
  expect(exitCode).toBe(1)
})
