import { Command, InvalidArgumentError, Option } from 'commander'
import { compileModel, type Size } from '../inference/index.ts'
import type { Mode } from '../session.ts'
import { modes } from '../session.ts'
import { serviceConfig, serviceLog } from './service-options.ts'
import { parseSize } from '../parse-size.ts'
import { positiveInteger } from './positive-integer.ts'

interface CompileOptions {
  frames: readonly Size[]
  mode: Mode
  cacheSize?: number
}

export function compileCommand(): Command {
  return new Command('compile')
    .description('Build TensorRT engines ahead, into LEADLINE_ENGINE_DIR.')
    .argument('[model]', 'default: LEADLINE_MODEL')
    .option('--frames <sizes>', 'sizes of frames', sizes, [{ width: 1920, height: 1080 }])
    .addOption(new Option('--mode <mode>').choices(modes).default('ovda'))
    .option('--cache-size <frames>', 'frames in the window; default: the model’s', positiveInteger)
    .action(async (name: string | undefined, { frames, mode, cacheSize }: CompileOptions) => {
      const config = serviceConfig({})
      const model = name ?? config.defaultModel
      await compileModel(
        config,
        { model, mode, cacheSize: cacheSize ?? null, sources: frames },
        {
          log: serviceLog('silent'),
          onCompiled: ({ width, height, seconds }) =>
            console.log(`${model} ${mode} ${width}x${height}: ${seconds.toFixed(1)} s`)
        }
      )
    })
}

/** 1920x1080,640x480 */
function sizes(text: string): Size[] {
  return text.split(',').map((part) => {
    const size = parseSize(part)
    if (size === null) throw new InvalidArgumentError('Sizes are like 1920x1080,640x480.')
    return size
  })
}
