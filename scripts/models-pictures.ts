/**
 * Draw clips as the model sees them, through the engine that serves, into docs/models/, and keep what was drawn in
 * models/NAME/results/pictures.jsonl, from which `npm run models-page` shows it:
 * npm run models-pictures -- --video FILE... --data FOLDER... (see --help)
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Command } from 'commander'
import { detectLayout, readDataset } from '../src/cli/eval/datasets/layout.ts'
import { withModel } from '../src/cli/eval/evaluate.ts'
import { describeRun } from '../src/cli/eval/record.ts'
import { serviceConfig, serviceLog } from '../src/cli/service-options.ts'
import { positiveInteger } from '../src/cli/positive-integer.ts'
import type { Picture } from './models-page/result-files.ts'
import type { Clip } from './models-pictures/clip.ts'
import { sequenceClip, showMoments, spread, videoClip } from './models-pictures/clip.ts'
import { drawSheet } from './models-pictures/sheet.ts'

interface Options {
  model: string
  video: string[]
  data: string[]
  sequences: number
  moments: number
}

const root = path.dirname(import.meta.dirname)

async function findClips({ video, data, sequences }: Options): Promise<Clip[]> {
  const clips = await Promise.all(video.map(videoClip))
  for (const folder of data) {
    const found = await readDataset(folder, await detectLayout(folder))
    const dataset = path.basename(path.resolve(folder))
    for (const index of spread(found.length, sequences)) {
      const sequence = found[index]
      if (sequence !== undefined) clips.push(sequenceClip(dataset, sequence))
    }
  }
  return clips
}

async function draw(options: Options): Promise<void> {
  const clips = await findClips(options)
  const results = path.join(root, 'models', options.model, 'results')
  const docs = path.join(root, 'docs', 'models', options.model)
  await rm(docs, { recursive: true, force: true })
  for (const folder of [docs, results]) await mkdir(folder, { recursive: true })
  const pictures: Picture[] = []
  await withModel(serviceConfig({ model: options.model }), serviceLog('warn'), async (run) => {
    const sessionOptions = { mode: 'ovda', cacheSize: null } as const
    const { mode, cacheSize, digest } = describeRun(run.model, sessionOptions)
    for (const clip of clips) {
      const moments = await showMoments(clip, { ...run, options: sessionOptions }, options.moments)
      const { jpeg, rows } = await drawSheet(moments)
      const fileName = `${clip.name.replace(/[^A-Za-z0-9-]+/g, '-').toLowerCase()}.jpg`
      await writeFile(path.join(docs, fileName), jpeg)
      const frames = moments.map(({ index }) => index)
      pictures.push({
        ...{ clip: clip.name, file: `models/${options.model}/${fileName}`, rows, frames },
        ...{ clipFrames: clip.frameCount, mode, cacheSize, digest }
      })
      console.log(`docs/models/${options.model}/${fileName}: ${Math.round(jpeg.byteLength / 1024)} KiB`)
    }
  })
  const lines = pictures.map((picture) => `${JSON.stringify(picture)}\n`)
  await writeFile(path.join(results, 'pictures.jsonl'), lines.join(''))
}

await new Command('models-pictures')
  .option('--model <name>', 'a bundled model', 'leadline-nano')
  .option('--video <file...>', 'videos', [])
  .option('--data <folder...>', 'RGB-D data sets, as for "leadline eval"', [])
  .option('--sequences <count>', 'of each data set, evenly spread', positiveInteger, 4)
  .option('--moments <count>', 'of each clip, evenly spread', positiveInteger, 4)
  .action(draw)
  .parseAsync()
