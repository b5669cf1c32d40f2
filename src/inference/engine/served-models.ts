import type { Logger } from 'pino'
import type { Config } from '../../config.ts'
import { LeadlineError } from '../../errors.ts'
import type { Manifest, Precision } from '../../manifest.ts'
import { fakeManifest } from '../executors/fake/fake-model.ts'
import { ModelLibrary } from '../models/library.ts'
import { fastInt8Instructions, thisProcessor } from '../cpu-features.ts'
import type { ServedModel } from '../session-plan.ts'

export type ModelsConfig = Pick<
  Config,
  'executor' | 'device' | 'defaultModel' | 'modelsDirs' | 'allowNonCommercial' | 'precision'
>

/**
 * The models this process serves, by the name a client asks for, the default model among them. Throws MODEL_UNKNOWN or
 * MODEL_LICENSE where that cannot be, and MODEL_FILE_INVALID for a manifest that is not valid.
 */
export async function servedModels(config: ModelsConfig, log: Logger): Promise<Map<string, ServedModel>> {
  if (config.executor === 'fake') return fakeModels(config.defaultModel)
  const library = await ModelLibrary.open(config)
  const served = new Map(
    library.listServable().map((model) => {
      const precision =
        config.precision === 'model' ? ownPrecision(model.manifest, config.device) : config.precision
      return [model.manifest.name, { ...model, ...(precision && { precision }) }]
    })
  )
  for (const { manifest } of library.list()) {
    if (served.has(manifest.name)) continue
    log.warn(
      { model: manifest.name, license: manifest.license },
      'not served: its licence forbids commercial use and LEADLINE_ALLOW_NONCOMMERCIAL is not set'
    )
  }
  if (served.size === 0) {
    const folders = config.modelsDirs.join(' and ')
    throw new LeadlineError(
      'MODEL_UNKNOWN',
      `No model to serve in ${folders}; add one with "leadline models add"`
    )
  }
  library.get(config.defaultModel)
  return served
}

/** The one of them that sessions get which name none. */
export async function defaultModel(config: ModelsConfig, log: Logger): Promise<ServedModel> {
  return (await servedModels(config, log)).get(config.defaultModel)!
}

/** What the manifest says of the CPU, where the processor is made for it. */
function ownPrecision({ cpuPrecision }: Manifest, device: Config['device']): Precision | undefined {
  if (device !== 'cpu') return undefined
  return cpuPrecision === 'int8' && fastInt8Instructions(thisProcessor()).length === 0
    ? undefined
    : cpuPrecision
}

/** The fake model goes by the default name too, so that sessions which name no model are served. */
function fakeModels(defaultModel: string): Map<string, ServedModel> {
  const model = (name: string): ServedModel => ({ manifest: { ...fakeManifest, name }, weightsPath: '' })
  return new Map([fakeManifest.name, defaultModel].map((name) => [name, model(name)]))
}
