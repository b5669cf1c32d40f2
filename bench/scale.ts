/**
 * What one Redis carries: `npm run bench scale`. One gateway, one worker whose engine answers at once, and more and more live
 * sessions of a frame a second, 8 KiB each way, beside eight of 30. Rows, leases, scripts and turns are the real ones. CPU of
 * each process and bytes by Redis' own count; the first load at which frames fall behind is the limit.
 */
import { report } from './report.ts'
import { measureScale } from './scale/measure.ts'
import type { Scale } from './scale/measure.ts'

const fast = 8
const seconds = Number(process.env['BENCH_SECONDS'] ?? 10)
const counts = (process.env['BENCH_SESSIONS'] ?? '100,1000,2000,4000,8000').split(',').map(Number)
/** Later than this a depth map is no use to a live picture. */
const lateMs = 500

let limit: Scale | null = null
for (const slow of counts) {
  const scale = await measureScale({ slow, fast, seconds })
  process.stderr.write(`${JSON.stringify(scale)}\n`)
  tell(scale)
  if (scale.p99 <= lateMs && scale.unanswered <= (scale.framesPerSecond * lateMs) / 1000) continue
  limit = scale
  break
}
const most = limit?.load.slow ?? counts.at(-1) ?? 0
report({
  name: limit ? `frames fall ${lateMs} ms behind first at` : 'no limit met up to',
  value: most,
  unit: 'sessions'
})

function tell({ bytesPerSessionSecond, cores, gatewayMsPerFrame, load, ...scale }: Scale): void {
  const row = (name: string, value: number, unit: string): void =>
    report({
      name: `${load.slow} sessions at 1 fps, ${load.fast} at 30: ${name}`,
      value: Number(value.toPrecision(4)),
      unit
    })
  row('latency of the link, p50', scale.p50, 'ms')
  row('latency of the link, p99', scale.p99, 'ms')
  row('Redis', cores.redis, 'cores')
  row('gateway', cores.gateway, 'cores')
  row('worker', cores.worker, 'cores')
  row('Redis, CPU a session-second', scale.redisMsPerSessionSecond, 'ms')
  row('Redis, bytes a session-second', bytesPerSessionSecond, 'B')
  row('Redis, commands a frame', scale.redisCommandsPerFrame, '')
  row('gateway, CPU a frame', gatewayMsPerFrame, 'ms')
  row('sessions opened', scale.opensPerSecond, '/s')
}
