/** A worker on its own, to be forked and killed. Says "ready" once it is registered. */
import { loadConfig } from '../../../src/config.ts'
import { redisWorker } from '../../../src/sessions/index.ts'
import { HashEngine } from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'

const engine = new HashEngine()
await redisWorker(loadConfig(), engine, { log: quietLog() })
process.on('message', (message) => {
  if (message === 'hold') engine.hold()
  process.send?.(message)
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
