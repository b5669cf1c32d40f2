import { InProcessLink } from '../../src/sessions/embedded/in-process-link.ts'
import { linkSuite } from './link.suite.ts'

linkSuite('the in-process', async () => {
  const gateway = new InProcessLink()
  return { gateway, makeWorker: () => gateway.workerLink() }
})
