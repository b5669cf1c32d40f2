import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { probeVideo } from '../../src/video/index.ts'
import { metricTable } from '../../src/metering/metric-table.ts'
import type { Metric, MetricOwner } from '../../src/metering/metric-table.ts'
import { startRedis } from '../helpers/redis.ts'
import { makeClip, run, temporaryFolder } from '../video/clip-file.ts'
import { lastLine, startLeadline, startListening } from './leadline-process.ts'
import { parse } from './parse.ts'

const timeout = 120_000

test('serve listens, streams, takes clips, and ends cleanly when told to', { timeout }, async () => {
  const folder = await temporaryFolder()
  const clip = await makeClip(path.join(folder, 'walk.mp4'), 12)
  const server = await startListening(['serve'], { LEADLINE_DATA_DIR: folder })
  expect(server.stdout).toMatch(
    /^leadline listening: http:\/\/127\.0\.0\.1:\d+ · model \S+ · .* · room for \d+ sessions · after [\d.]+ s\n$/
  )

  const videos = ['--out', path.join(folder, 'depth.mp4'), '--side-by-side', path.join(folder, 'both.mp4')]
  const stream = startLeadline(['stream', clip, '--url', server.url, ...videos, '--json'])
  expect(await stream.exited).toBe(0)
  expect(stream.stdout.trim().split('\n')).toHaveLength(1)
  expect(lastLine(stream.stdout)).toMatchObject({
    ...{
      frames: 12,
      drops: 0,
      errors: 0,
      files: [path.join(folder, 'depth.mp4'), path.join(folder, 'both.mp4')]
    },
    fps: expect.any(Number) as number,
    latency_ms: { p50: expect.any(Number) as number, p95: expect.any(Number) as number },
    digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string
  })
  expect(await probeVideo(path.join(folder, 'both.mp4'))).toEqual({
    width: 192,
    height: 64,
    fps: 12,
    frameCount: 12
  })
  expect((await probeVideo(path.join(folder, 'depth.mp4'))).frameCount).toBe(12)
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  // And the one that tried the device.
  expect(metrics.split('\n')).toContain('leadline_frames_stepped_total 13')

  const upload = startLeadline([
    'clip',
    clip,
    '--url',
    server.url,
    '--out-dir',
    folder,
    '--results',
    'npz,depth.mp4'
  ])
  expect(await upload.exited).toBe(0)
  const files = [path.join(folder, 'walk.npz'), path.join(folder, 'walk.depth.mp4')]
  expect(lastLine(upload.stdout)).toMatchObject({ frames: 12, files })
  expect(await readdir(path.join(folder, 'clips'))).toEqual([])
  expect((await probeVideo(files[1] ?? '')).frameCount).toBe(12)

  server.child.kill('SIGTERM')
  expect(await server.exited).toBe(0)
})

test('a gateway and a worker meet in Redis, whose password is in a file', { timeout }, async () => {
  const folder = await temporaryFolder()
  const password = 'a@b/c:d'
  const redis = await startRedis(['--requirepass', password])
  onTestFinished(() => redis.stop())
  const REDIS_PASSWORD_FILE = path.join(folder, 'password')
  await writeFile(REDIS_PASSWORD_FILE, `${password}\n`)
  const clip = await makeClip(path.join(folder, 'walk.mp4'), 8)
  const worker = startLeadline(['worker'], {
    ...{ REDIS_URL: redis.url, REDIS_PASSWORD_FILE },
    ...{ LEADLINE_WORKER_ID: 'desk', LEADLINE_METRICS_PORT: '0' }
  })
  const gateway = await startListening(['gateway', '--redis', redis.url], { REDIS_PASSWORD_FILE })
  await worker.printed(
    /leadline serving: desk\S* · model \S+ · .* · room for \d+ sessions · http\S+\/metrics/
  )
  const stream = await parse(['stream', clip, '--url', gateway.url.replace('http', 'ws')])
  expect(stream.exitCode).toBe(0)
  expect(lastLine(stream.stdout)).toMatchObject({ frames: 8, drops: 0, errors: 0 })
  const metricsUrl = /http\S+\/metrics/.exec(worker.stdout)![0]
  const alive = await fetch(new URL('/livez', metricsUrl))
  expect([alive.status, await alive.json()]).toEqual([200, { alive: true }])
  const metrics = await fetch(metricsUrl)
  const lines = (await metrics.text()).split('\n')
  expect(lines).toContain('leadline_frames_stepped_total 9')
  expect(lines).toContain('leadline_transfer_bytes_total{direction="to_host",kind="cache"} 0')
  const gatewayLines = (await (await fetch(`${gateway.url}/metrics`)).text()).split('\n')
  expect(namesIn(lines)).toEqual(namesOf('worker'))
  expect(namesIn(gatewayLines)).toEqual(namesOf('gateway'))
  for (const stage of ['queue', 'decode', 'step', 'encode'])
    expect(lines).toContain(`leadline_frame_stage_seconds_count{stage="${stage}"} 9`)
  expect(gatewayLines).toContain('leadline_frame_stage_seconds_count{stage="send"} 8')
  expect(gatewayLines).toContain('leadline_frames_total{outcome="result",reason=""} 8')
  for (const found of [lines, gatewayLines]) {
    expect(found).toContain('leadline_redis_up 1')
    expect(found.join('\n')).toMatch(/^leadline_start_seconds\{until="ready"\} [1-9]/m)
  }
  expect(lines.join('\n')).toMatch(/^leadline_start_seconds\{until="first_depth"\} [1-9]/m)
  expect(lines).toContain('leadline_usage_frames_total 8')
  for (const url of [gateway.url, metricsUrl])
    expect(await (await fetch(new URL('/readyz', url))).json()).toMatchObject({ ready: true })
  for (const service of [gateway, worker]) {
    service.child.kill('SIGTERM')
    expect(await service.exited).toBe(0)
  }
})

test.each([
  ['Ctrl-C', 'SIGINT', 130],
  ['a closed terminal', 'SIGHUP', 129]
] as const)(
  '%s in the middle of a stream leaves no process and no half file',
  { timeout },
  async (...how) => {
    const [, signal, exitCode] = how
    const folder = await temporaryFolder()
    const clip = await makeClip(path.join(folder, 'long.mp4'), 4000)
    const out = path.join(folder, 'depth.mp4')
    const stream = startLeadline(['stream', clip, '--out', out])
    await expect.poll(() => readdir(folder), { timeout: 60_000 }).toContain('depth.mp4.part')
    stream.child.kill(signal)
    expect(await stream.exited).toBe(exitCode)
    expect(await readdir(folder)).toEqual(['long.mp4'])
    const { stdout } = await run('ps', ['-eo', 'args'])
    expect(stdout).not.toContain(folder)
  }
)

test('the demo streams a video of one’s own and says where the result is', { timeout }, async () => {
  const folder = await temporaryFolder()
  const clip = await makeClip(path.join(folder, 'walk.mp4'), 6)
  const demo = startLeadline(['demo', '--video', clip, '--out-dir', path.join(folder, 'out')])
  expect(await demo.exited).toBe(0)
  const video = path.join(folder, 'out', 'walk.side-by-side.mp4')
  expect(lastLine(demo.stdout)).toMatchObject({ frames: 6, video })
  expect((await probeVideo(video)).frameCount).toBe(6)
})

/** Of our own metrics, as a scrape has them. */
function namesIn(lines: readonly string[]): string[] {
  return lines.flatMap((line) => /^# TYPE (leadline_\S+)/.exec(line)?.[1] ?? []).sort()
}

function namesOf(owner: MetricOwner): string[] {
  const isIts = ({ of }: Metric) => of.includes(owner)
  return Object.entries(metricTable)
    .flatMap(([name, metric]) => (isIts(metric) ? name : []))
    .sort()
}
