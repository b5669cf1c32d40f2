import { testApp } from '../helpers/build-app.ts'
import { checkpointSuite } from './checkpoint.suite.ts'

checkpointSuite('in one process', async (engine, config) => {
  const serve = async (engineOfIt: typeof engine) => {
    const { listen } = await testApp({ engine: engineOfIt, config: { ...config, defaultModel: 'hash' } })
    return listen()
  }
  return { url: await serve(engine), elsewhere: serve }
})
