import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { makeClip, run, temporaryFolder } from '../video/clip-file.ts'
import { startInTerminal, startLeadline } from './leadline-process.ts'
import { parse } from './parse.ts'

const timeout = 600_000
const clipOf = async () => makeClip(path.join(await temporaryFolder(), 'a.mp4'), 5)

test(
  'raw depth goes to standard output, to a file and, as pictures, to a folder; all are the same',
  { timeout },
  async () => {
    const folder = await temporaryFolder()
    const at = (name: string) => path.join(folder, name)
    const command = [
      process.execPath,
      '--require',
      './src/thread-pool.cjs',
      '--import',
      'tsx',
      'src/cli.ts',
      'stream'
    ]
    const args = [
      await clipOf(),
      '--format',
      'f32',
      '--out',
      '-',
      '--out',
      at('a.f32'),
      '--out',
      at('pictures/')
    ]
    const { stdout, stderr } = await run(command[0]!, [...command.slice(1), ...args], {
      ...{ encoding: 'buffer', maxBuffer: 2 ** 28 },
      env: { ...process.env, LEADLINE_EXECUTOR: 'fake' }
    })
    expect(Buffer.compare(stdout, await readFile(at('a.f32')))).toBe(0)
    const told = JSON.parse(await readFile(at('a.f32.json'), 'utf8')) as {
      width: number
      height: number
      times: number[]
    }
    expect(told).toMatchObject({ type: 'float32', quantity: 'relative-inverse-depth' })
    expect(told.times).toHaveLength(5)
    expect(stdout.byteLength).toBe(5 * told.width * told.height * 4)
    const lines = stderr.toString().trim().split('\n')
    expect(lines).toContain(
      `depth on standard output: f32, ${told.width}x${told.height}, relative-inverse-depth, a map after the other`
    )
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ frames: 5, files: ['-', at('a.f32'), at('pictures/')] })
    const pictures = [0, 1, 2, 3, 4].map((i) => `00000${i}.png`)
    expect((await readdir(at('pictures'))).toSorted()).toEqual([...pictures, 'scale.json'])
  }
)

test(
  'a folder that holds something, and values for a terminal, are refused before anything is done',
  { timeout },
  async () => {
    const folder = await temporaryFolder()
    await mkdir(path.join(folder, 'full'))
    await writeFile(path.join(folder, 'full', 'mine'), '')
    const clip = await clipOf()
    const full = `${path.join(folder, 'full')}/`
    expect(await parse(['stream', clip, '--out', full])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`${full} is not empty`) as string
    })
    expect(await readdir(full)).toEqual(['mine'])
    const streamed = startInTerminal(['stream', clip, '--out', '-'])
    await streamed.printed(/standard output, which is a terminal; pipe it/)
  }
)

test(
  'on a terminal stream, clip and replay end with lines for people, without JSON',
  { timeout },
  async () => {
    const folder = await temporaryFolder()
    const clip = await clipOf()
    const at = (name: string) => path.join(folder, name)
    for (const [args, wanted] of [
      [
        ['stream', clip, '--out', at('a.npz'), '--record', at('a.recording')],
        /5 depth maps at [\d.]+ fps · latency p50 [^\n]*\n[^\n]*written: \S+a\.npz/
      ],
      [['clip', clip, '--results', 'npz', '--out-dir', folder], /clip \S+: 5 frames\s+written: \S+\.npz/],
      [['replay', at('a.recording')], /5 outcomes equal, of one session/]
    ] as const) {
      const run = startInTerminal(args)
      await run.printed(wanted)
      await run.printed(/ended: \{"exitCode": 0\}/)
      expect(run.stdout.split('ended: ')[0]).not.toContain('{"')
    }
    const piped = startLeadline(['replay', at('a.recording')])
    expect(await piped.exited).toBe(0)
    expect(JSON.parse(piped.stdout)).toMatchObject({ equal: 5, different: 0 })
  }
)
