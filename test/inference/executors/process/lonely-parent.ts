import { pino } from 'pino'
import { ProcessExecutor } from '../../../../src/inference/executors/process/process.ts'

/** A program that starts an executor process, prints its pid, and lives until it is killed. */
const executor = await ProcessExecutor.start({ spec: { kind: 'fake' }, log: pino({ level: 'silent' }) })
process.stdout.write(`${executor.pid}\n`)
setInterval(() => undefined, 1000)
