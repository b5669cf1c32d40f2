/**
 * Run the benches named (default: all that measure) with whatever options follow, keep their figures in bench/figures/,
 * and write docs/benchmarks.md from them.
 * Each bench is a program that prints one JSON line per figure (see report.ts) and talks on stderr.
 */
import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { benchmarksPage } from './page.ts'
import { parseFigure } from './report.ts'
import type { Figure } from './report.ts'

const all = [
  'batch',
  'beside',
  'compression',
  'decode',
  'encoder',
  'engine',
  'gateway',
  'host',
  'int8',
  'link',
  'loads',
  'memory',
  'refine',
  'scale',
  'start',
  'stream'
] as const
const figuresDir = new URL('./figures/', import.meta.url)

async function runBench(name: string, options: readonly string[]): Promise<Figure[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', `bench/${name}.ts`, ...options], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const figures: Figure[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line)
    figures.push(parseFigure(line))
  }
  const code = await ended
  if (code !== 0) throw new Error(`bench/${name}.ts ended with ${code}`)
  return figures
}

const args = process.argv.slice(2)
const firstOption = args.findIndex((arg) => arg.startsWith('--'))
const wanted = firstOption < 0 ? args : args.slice(0, firstOption)
const options = args.slice(wanted.length)
await mkdir(figuresDir, { recursive: true })
for (const name of wanted.length > 0 ? wanted : all) {
  const figures = await runBench(name, options)
  const lines = figures.map((figure) => `${JSON.stringify(figure)}\n`)
  await writeFile(new URL(`${name}.jsonl`, figuresDir), lines.join(''))
}
const files = (await readdir(figuresDir)).filter((file) => file.endsWith('.jsonl')).sort()
const sets = await Promise.all(
  files.map(async (file) => ({
    name: file.replace('.jsonl', ''),
    figures: (await readFile(new URL(file, figuresDir), 'utf8')).trim().split('\n').map(parseFigure)
  }))
)
await writeFile(new URL('../docs/benchmarks.md', import.meta.url), benchmarksPage(sets))
