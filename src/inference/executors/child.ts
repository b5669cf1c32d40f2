import { asLeadlineError } from '../../errors.ts'
import { buildExecutor } from './build.ts'
import type { Answer, ExecutorSpec, Reply, Request } from './child-messages.ts'

/**
 * The executor process: builds one executor and answers its supervisor, one request after the other, in order. It lives
 * as long as its supervisor's channel: an orphan exits by itself. Signals meant for the whole process group (Ctrl-C, a
 * service manager's SIGTERM) are left to the supervisor, which drains first.
 */
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('disconnect', () => process.exit(0))

const executor = await buildExecutor(JSON.parse(process.argv[2] ?? '') as ExecutorSpec)
let turn: Promise<void> = Promise.resolve()
process.on('message', (request: Request) => {
  turn = turn.then(async () => {
    const before = process.cpuUsage()
    const answered = await answer(request)
    const { user, system } = process.cpuUsage(before)
    reply({ ...answered, id: request.id, cpuMs: (user + system) / 1000 })
  })
})
reply({ type: 'ready', caps: executor.caps })

async function answer(request: Request): Promise<Answer> {
  try {
    return { type: 'done', value: await perform(request) }
  } catch (error) {
    const { code, message, cause } = asLeadlineError(error)
    if (code === 'INTERNAL') process.stderr.write(`${cause instanceof Error ? cause.stack : String(cause)}\n`)
    return { type: 'failed', code, detail: message }
  }
}

function perform(request: Request): Promise<unknown> {
  switch (request.operation) {
    case 'load':
      return executor.load(...request.args)
    case 'unload':
      return executor.unload(...request.args)
    case 'newState':
      return executor.newState(...request.args)
    case 'step':
      return executor.step(...request.args)
    case 'slice':
      return executor.slice(...request.args)
    case 'transfers':
      return executor.transfers()
    case 'exportState':
      return executor.exportState(...request.args)
    case 'importState':
      return executor.importState(...request.args)
    case 'free':
      return executor.free(...request.args)
    case 'close':
      return executor.close()
  }
}

function reply(message: Reply): void {
  if (process.connected) process.send?.(message)
}
