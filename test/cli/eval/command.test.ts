import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { expect, onTestFinished, test, vi } from 'vitest'
import Value from 'typebox/value'
import { evaluationRecordSchema } from '../../../src/cli/eval/record.ts'
import { temporaryFolder } from '../../video/clip-file.ts'
import { parse } from '../parse.ts'
import { writeData, writeDepth } from './dataset-files.ts'

const identity = '1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n'

/** Two sequences of three frames, run by the executor that needs no network. */
async function dataset(): Promise<string> {
  vi.stubEnv('LEADLINE_EXECUTOR', 'fake')
  onTestFinished(() => void vi.unstubAllEnvs())
  const root = path.join(await temporaryFolder(), 'two')
  for (const name of ['a', 'b']) {
    await mkdir(path.join(root, name, 'color'), { recursive: true })
    for (const n of [0, 1, 2]) {
      const create = { width: 56, height: 42, channels: 3, background: { r: 80 * n, g: 50, b: 9 } } as const
      await sharp({ create })
        .png()
        .toFile(path.join(root, name, 'color', `${n}.png`))
      await writeDepth(path.join(root, name, 'depth', `${n}.png`), [1000, 2000, 3000, 0, 4000 + n])
      await writeData(path.join(root, name, 'pose', `${n}.txt`), identity)
    }
    await writeData(path.join(root, name, 'intrinsics.txt'), '2 0 2 0 2 0 0 0 1')
  }
  return root
}

test('each sequence has a line, the mean comes last, and --json keeps what was scored', async () => {
  const root = await dataset()
  const json = path.join(await temporaryFolder(), 'eval.jsonl')
  const args = ['eval', '--data', root, '--json', json]
  const { stdout, stderr, exitCode } = await parse(args)
  expect([stderr, exitCode]).toEqual(['', 0])
  const lines = stdout.trim().split('\n')
  const [a, b, mean] = lines.map((line) => JSON.parse(line) as Record<string, number>)
  expect([lines.length, a?.['sequence'], b?.['sequence']]).toEqual([3, 'a', 'b'])
  expect(Object.keys(mean ?? {})).toEqual([
    ...['absRel', 'delta1', 'flicker', 'frames', 'firstAbsRel', 'firstDelta1', 'gap'],
    ...['tae', 'truthTae', 'sequences']
  ])
  expect(mean).toMatchObject({ frames: 6, sequences: 2 })
  expect(mean?.['absRel']).toBeCloseTo(((a?.['absRel'] ?? NaN) + (b?.['absRel'] ?? NaN)) / 2, 3)

  await parse([...args, '--mode', 'single', '--fit', 'first'])
  const records = (await readFile(json, 'utf8')).trim().split('\n')
  const [first, second] = records.map((line) => Value.Parse(evaluationRecordSchema, JSON.parse(line)))
  expect(first).toMatchObject({ ...mean, data: 'two', layout: 'plain', mode: 'ovda', fit: 'global' })
  expect(second).toMatchObject({ mode: 'single', cacheSize: null, fit: 'first' })
  expect(second?.absRel).toBe(second?.firstAbsRel)
})

test('one sequence gives one line', async () => {
  const { stdout } = await parse(['eval', '--data', path.join(await dataset(), 'a')])
  expect(stdout.trim().split('\n')).toHaveLength(1)
  expect(JSON.parse(stdout)).toMatchObject({ frames: 3, sequences: 1 })
})

test('what cannot be scored or written is refused in one line', async () => {
  const root = await dataset()
  const toNowhere = await parse(['eval', '--data', root, '--json', path.join(root, 'absent', 'x.jsonl')])
  expect(toNowhere.stderr).toMatch(/x\.jsonl cannot be written: there is no folder/)
  const otherLayout = await parse(['eval', '--data', root, '--layout', 'kitti'])
  expect(otherLayout.stderr).toMatch(/two holds no drives; KITTI needs/)
  for (const n of [1, 2]) await writeDepth(path.join(root, 'a', 'depth', `${n}.png`), [0, 0])
  const noTruth = await parse(['eval', '--data', path.join(root, 'a')])
  expect(noTruth.stderr).toMatch(/a: no pixel has a known depth after frame 0/)
  await sharp({ create: { width: 28, height: 42, channels: 3, background: 'red' } })
    .png()
    .toFile(path.join(root, 'b', 'color', '2.png'))
  const otherSize = await parse(['eval', '--data', path.join(root, 'b')])
  expect(otherSize.stderr).toMatch(/2\.png is 28 x 42, the frames before it 56 x 42/)
})
