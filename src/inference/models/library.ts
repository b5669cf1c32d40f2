import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { Config } from '../../config.ts'
import { LeadlineError } from '../../errors.ts'
import type { Manifest } from '../../manifest.ts'
import { manifestFileName, readManifest } from './manifest-file.ts'

/** A model that lies in one of the model folders. Its weights are checked against the manifest when they are loaded. */
export interface LibraryModel {
  manifest: Manifest
  weightsPath: string
  /** The model's own folder. */
  directory: string
}

export type LibraryConfig = Pick<Config, 'modelsDirs' | 'allowNonCommercial'>

/** The models found in the configured folders: `<folder>/<name>/manifest.json` and the weights beside it. */
export class ModelLibrary {
  private readonly models: ReadonlyMap<string, LibraryModel>
  private readonly allowNonCommercial: boolean

  private constructor(models: ReadonlyMap<string, LibraryModel>, allowNonCommercial: boolean) {
    this.models = models
    this.allowNonCommercial = allowNonCommercial
  }

  /**
   * Reads every manifest. A folder that does not exist is empty; of two models with one name the folder searched first
   * wins. Throws MODEL_FILE_INVALID for a manifest that is not valid.
   */
  static async open({ modelsDirs, allowNonCommercial }: LibraryConfig): Promise<ModelLibrary> {
    const models = new Map<string, LibraryModel>()
    for (const modelsDir of modelsDirs) {
      for (const directory of await modelDirectories(modelsDir)) {
        const model = await readModel(directory)
        if (!models.has(model.manifest.name)) models.set(model.manifest.name, model)
      }
    }
    return new ModelLibrary(models, allowNonCommercial)
  }

  /** Every model, also those whose licence keeps them from being served. */
  list(): LibraryModel[] {
    return [...this.models.values()]
  }

  /** The models that may be served under the configuration. */
  listServable(): LibraryModel[] {
    return this.list().filter(({ manifest }) => this.allowNonCommercial || !manifest.nonCommercial)
  }

  /** Throws MODEL_UNKNOWN with the known names, and MODEL_LICENSE where the licence needs consent. */
  get(name: string): LibraryModel {
    const model = this.models.get(name)
    if (model === undefined) {
      const names = [...this.models.keys()].join(', ') || 'none; add one with "leadline models add"'
      throw new LeadlineError('MODEL_UNKNOWN', `There is no model "${name}"; known: ${names}`)
    }
    if (model.manifest.nonCommercial && !this.allowNonCommercial)
      throw new LeadlineError(
        'MODEL_LICENSE',
        `Model "${name}" is under ${model.manifest.license}, which forbids commercial use; ` +
          'set LEADLINE_ALLOW_NONCOMMERCIAL=true if your use is permitted'
      )
    return model
  }
}

/** Folders with a manifest, sorted by name so that every start sees the same order. */
async function modelDirectories(modelsDir: string): Promise<string[]> {
  try {
    const entries = await readdir(modelsDir, { recursive: false, withFileTypes: true })
    const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(modelsDir, entry.name))
    const withManifest = await Promise.all(
      directories.map(async (directory) => (await readdir(directory)).includes(manifestFileName))
    )
    return directories.filter((_, index) => withManifest[index]).sort()
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return []
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LeadlineError(
      'CONFIG_INVALID',
      `The models folder ${modelsDir} cannot be read (${reason}); mend that, or set LEADLINE_MODELS_DIR to another folder`,
      { cause }
    )
  }
}

async function readModel(directory: string): Promise<LibraryModel> {
  const manifestPath = path.join(directory, manifestFileName)
  const manifest = await readManifest(manifestPath)
  const { file } = manifest.weights
  // A manifest may come from anywhere; it must not point at files outside its folder.
  if (path.basename(file) !== file)
    throw new LeadlineError(
      'MODEL_FILE_INVALID',
      `${manifestPath}: weights.file "${file}" is not a plain file name; keep the weights beside the manifest`
    )
  return { manifest, weightsPath: path.join(directory, file), directory }
}
