/**
 * Clips while everything dies: `npm run bench clips -- --seed 1 --runs 3`, `--bucket` with a folder for each gateway and an
 * S3-compatible bucket between them. So many clips, workers and gateways killed at random, Redis killed and started again
 * empty. Each must end with exactly its frames, to the bits of an undisturbed run, or have failed with a reason of its own; else
 * this ends with 1. Every second clip is one scene, and long enough for checkpoints.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { mp4 } from '../test/helpers/clip-files.ts'
import { ClipCell } from './clips/clip-cell.ts'
import type { ClipState } from './clips/clip-cell.ts'
import { makeProgram } from './faults/program.ts'
import { randomNumbers } from './random.ts'
import { report } from './report.ts'

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '20' },
    kills: { type: 'string', default: '10' },
    restarts: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    /** Of the seeds that follow each other. */
    runs: { type: 'string', default: '1' },
    bucket: { type: 'boolean', default: false }
  }
})
const [numClips, numKills, numRestarts] = [values.clips, values.kills, values.restarts].map(Number) as [
  number,
  number,
  number
]
const shape = { frames: 600, width: 84, height: 56 }
const wishes = ['sceneCut=false', ''].map((wish) => `?results=npz&results=depth.mp4&${wish}`)
const video = new Uint8Array(await mp4(shape))
const program = await makeProgram()
const bucket = values.bucket
  ? await (await import('../test/helpers/bucket-server.ts')).startBucketServer()
  : null

/** Whether all ended as they must. */
async function run(seed: number): Promise<boolean> {
  const random = randomNumbers(seed)
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-clips-'))
  const cell = await ClipCell.start({
    program,
    folder,
    bucketUrl: bucket && `${bucket.url}/${seed}`,
    numClips,
    random
  })
  const undisturbed: string[] = []
  for (const wish of wishes)
    undisturbed.push(await sumOf(cell, await ended(cell, await cell.send(video, wish))))
  const startMs = performance.now()
  const ids: string[] = []
  for (let i = 0; i < numClips; i++) ids.push(await cell.send(video, wishes[i % wishes.length]!))

  let checkpoints = 0
  const blows = [
    ...Array.from({ length: numKills }, (_, i) => async () => {
      const victim = cell.pick(i % 2 === 0 ? cell.gateways : cell.workers)
      process.stderr.write(`seed ${seed}: kill ${victim.name}\n`)
      await victim.replace('SIGKILL')
    }),
    ...Array.from({ length: numRestarts }, () => async () => {
      process.stderr.write(`seed ${seed}: restart Redis, empty\n`)
      await cell.redis.kill()
      await cell.redis.restart()
    })
  ]
  for (let i = blows.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[blows[i], blows[j]] = [blows[j]!, blows[i]!]
  }
  for (const blow of blows) {
    await delay(2000 + random() * 6000)
    const names = await readdir(folder, { recursive: true })
    checkpoints += names.filter((name) => name.endsWith('.llcx')).length
    await blow()
  }

  const clips = await Promise.all(ids.map((id) => ended(cell, id)))
  const isDone = ({ state }: ClipState): boolean => state === 'done'
  const sums = await Promise.all(clips.map((clip) => (isDone(clip) ? sumOf(cell, clip) : null)))
  const failures = clips.flatMap(({ failure }) => (failure === null ? [] : [failure.code]))
  const counts = {
    done: clips.filter(isDone).length,
    'done with exactly their frames': clips.filter(
      (clip) => isDone(clip) && clip.progress.frames === shape.frames
    ).length,
    'bit-equal to an undisturbed run': sums.filter((sum, i) => sum === undisturbed[i % wishes.length]).length,
    'failed with a reason of their own': failures.filter((code) => code !== 'INTERNAL').length
  }
  const what = `seed ${seed}, ${numClips} clips, ${numKills} kills, ${numRestarts} restarts of Redis${bucket ? ', a bucket' : ''}`
  for (const [name, value] of Object.entries({ ...counts, 'checkpoints at hand at a blow': checkpoints }))
    report({ name: `${what}: ${name}`, value, unit: '' })
  const seconds = (performance.now() - startMs) / 1000
  report({ name: `${what}: until all had ended`, value: Math.round(seconds), unit: 's' })
  process.stderr.write(`seed ${seed}: ${JSON.stringify({ failures, faults: cell.faults })}\n`)
  await cell.close()
  await rm(folder, { recursive: true, force: true })
  const [done, whole, same, reasoned] = Object.values(counts) as [number, number, number, number]
  return done === whole && done === same && done + reasoned === numClips && cell.faults.length === 0
}

async function ended(cell: ClipCell, id: string): Promise<ClipState> {
  for (;;) {
    const clip = await cell.look(id)
    if (['done', 'failed'].includes(clip.state)) return clip
    await delay(1000)
  }
}

async function sumOf(cell: ClipCell, { links }: ClipState): Promise<string> {
  const sum = createHash('sha256')
  for (const link of Object.values(links.results)) sum.update(await cell.fetch(link))
  return sum.digest('hex')
}

const seeds = Array.from({ length: Number(values.runs) }, (_, i) => Number(values.seed) + i)
const held: boolean[] = []
for (const seed of seeds) held.push(await run(seed))
bucket?.stop()
await program.remove()
process.exitCode = held.every(Boolean) ? 0 : 1
