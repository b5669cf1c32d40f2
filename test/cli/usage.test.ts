import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpath } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { CommanderError } from 'commander'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Interrupted, reportFailure } from '../../src/cli/failure.ts'
import { LeadlineError } from '../../src/errors.ts'
import { temporaryFolder } from '../video/clip-file.ts'
import { parse } from './parse.ts'

test.each([
  [[], /Usage: leadline/],
  [['strem'], /unknown command 'strem'.*Did you mean stream/s],
  [['stream'], /missing required argument '(video|source)'/],
  [['stream', 'a.mp4', '--mode', 'fast'], /'fast' is invalid. Allowed choices are ovda, vda-stream, single/],
  [['stream', 'a.mp4', '--cache-size', '0'], /'0' is invalid. It must be a whole number above 0/],
  [['stream', 'a.mp4', '--out', 'a.zip'], /'a.zip' is invalid. Its end must say .*\.npz, \.png16\.zip/],
  [['stream', 'a.mp4', '--intrinsics', '500,500,320'], /'500,500,320' is invalid. It must be four numbers/],
  [['clip', 'a.mp4', '--fov', '180'], /'180' is invalid. It must be degrees from 1 to 179/],
  [['serve', '--cache-size', '8'], /unknown option '--cache-size'/],
  [['models', 'add'], /missing required argument 'name\|path\|url'/],
  [['eval'], /required option '--data <folder>' not specified/]
])('wrong usage %j is explained and exits with 2', async (args, explained) => {
  const { stderr, exitCode } = await parse(args)
  expect(stderr).toMatch(explained)
  expect(exitCode).toBe(2)
})

test.each([['--help'], ['--version'], ['stream', '--help'], ['models', '--help']])(
  '%s exits with 0',
  async (...args) => {
    expect((await parse(args)).exitCode).toBe(0)
  }
)

test.each([
  [new LeadlineError('CLIP_INVALID', 'a.mp4 is no video'), 1, 'leadline: a.mp4 is no video'],
  [
    Object.assign(new Error('x'), { code: 'EADDRINUSE', port: 80, address: '::1' }),
    1,
    'leadline: port 80 on ::1 is taken'
  ],
  [Object.assign(new Error('x'), { code: 'EACCES', port: 80 }), 1, 'leadline: port 80 may not be opened'],
  [new Error('odd'), 1, 'leadline: odd'],
  ['odd', 1, 'leadline: odd']
])('%s exits with %i and one line', (error, exitCode, line) => {
  const said = vi.spyOn(console, 'error').mockReturnValue()
  onTestFinished(() => void vi.restoreAllMocks())
  expect(reportFailure(error)).toBe(exitCode)
  expect(said.mock.calls).toEqual([[expect.stringContaining(line)]])
})

test('an interrupt says nothing and exits as the shell expects', () => {
  const said = vi.spyOn(console, 'error').mockReturnValue()
  onTestFinished(() => void vi.restoreAllMocks())
  expect(reportFailure(new Interrupted('SIGHUP'))).toBe(129)
  expect(reportFailure(new Interrupted('SIGINT'))).toBe(130)
  expect(reportFailure(new Interrupted('SIGTERM'))).toBe(143)
  expect(reportFailure(new CommanderError(0, 'commander.help', ''))).toBe(0)
  expect(said).not.toHaveBeenCalled()
})

async function takenPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return String((server.address() as AddressInfo).port)
}

test.each([
  ['LEADLINE_PORT', '70000', /^leadline: LEADLINE_PORT is "70000"; it must be <= 65535; see/],
  ['LEADLINE_DEVICE', 'gpu', /"gpu"; it must be one of cpu, cuda, tensorrt, webgpu; see/]
])('%s=%s is told what would be right', async (name, value, explained) => {
  onTestFinished(() => void vi.unstubAllEnvs())
  vi.stubEnv(name, value)
  expect(await parse(['serve'])).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(explained) })
})

test.each([
  [
    'a value that is not valid',
    () => ['serve', '--port', 'many'],
    /^leadline: --port is "many"; it must be integer.*\.env\.example/
  ],
  [
    'an option whose variable has another name',
    () => ['serve', '--warmup-modes', 'fast'],
    /^leadline: --warmup-modes is "fast"; it must match/
  ],
  [
    'a gateway without a Redis',
    () => ['gateway'],
    /^leadline: .*REDIS_URL is empty; set it .*leadline serve/
  ],
  [
    'a Redis that is not there',
    () => ['worker', '--redis', 'redis://127.0.0.1:1'],
    /^leadline: .*redis:\/\/127\.0\.0\.1:1.* cannot be reached/
  ],
  [
    'a port that is taken',
    async () => ['serve', '--port', await takenPort()],
    /^leadline: port \d+ on 127\.0\.0\.1 is taken .*--port or LEADLINE_PORT/
  ],
  ['a file that is no video', () => ['stream', 'package.json'], /^leadline: package.json is not a video/],
  [
    'a checkpoint of unknown licence',
    () => ['models', 'add', 'models/leadline-nano/model.safetensors'],
    /^leadline: model .*--license Apache-2\.0/
  ],
  ['a golden folder that is not there', () => ['models', 'verify', 'absent'], /^leadline: .*absent/]
])('%s gives one line that says what to do', async (_what, args, line) => {
  vi.stubEnv('LEADLINE_EXECUTOR', 'fake')
  vi.stubEnv('LEADLINE_LOG_LEVEL', 'silent')
  vi.stubEnv('REDIS_URL', '')
  onTestFinished(() => void vi.unstubAllEnvs())
  const { stdout, stderr, exitCode } = await parse(await args())
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(line)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(stdout).toBe('')
})

test.each([
  [['stream', 'srt://host/1'], /srt:\/\/ cannot be read; what can are .*rtsp:\/\//],
  [['stream', 'http://127.0.0.1:1/a.mp4'], /http:\/\/127\.0\.0\.1:1\/a\.mp4 gives no picture/],
  [['clip', 'rtsp://camera/1'], /An address \(rtsp:\) is not a video file; record it/],
  [['clip', '-'], /Standard input is not a video file/],
  [['stream', '/dev/null'], /\/dev\/null is not a video file.*"leadline stream"/],
  [['clip', os.tmpdir()], /is not a video file/],
  [['stream', import.meta.dirname], /has no image in it/],
  [['stream', 'nothing.mp4'], /\/nothing\.mp4 cannot be read: there is no such file/]
])('%j says what is wrong with what was given', async (args, said) => {
  const { stderr, exitCode } = await parse(args)
  expect(stderr).toMatch(said)
  expect(exitCode).toBe(1)
})

test('a path is meant from where npm was called, not from the package’s folder', async () => {
  const clone = path.join(import.meta.dirname, '..', '..')
  const elsewhere = await temporaryFolder()
  const npm = spawn('npm', ['--prefix', clone, 'run', '--silent', 'leadline', '--', 'clip', 'walk.mp4'], {
    cwd: elsewhere,
    stdio: ['ignore', 'ignore', 'pipe']
  })
  expect(await text(npm.stderr)).toContain(
    `${path.join(await realpath(elsewhere), 'walk.mp4')} cannot be read`
  )
})
