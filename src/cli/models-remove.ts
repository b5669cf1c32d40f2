import { Command } from 'commander'
import { ModelLibrary, removeModel } from '../inference/index.ts'
import { serviceConfig } from './service-options.ts'

export function removeCommand(): Command {
  return new Command('remove')
    .description('Remove a model that was added. One that a running server serves stays.')
    .argument('<name>', 'as "leadline models list" tells it')
    .action(async (name: string) => {
      const config = serviceConfig({})
      const library = await ModelLibrary.open({ ...config, allowNonCommercial: true })
      const model = library.get(name)
      await removeModel(model, config.addedModelsDir ?? '')
      console.log(`Removed ${name}: ${model.directory}`)
    })
}
