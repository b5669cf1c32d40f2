import { asLeadlineError } from '../../../errors.ts'
import { returnSpareMemory } from '../../../machine/spare-memory.ts'
import { buildExecutor } from '../build.ts'
import type { ExecutorSpec } from '../spec.ts'
import type { Answer, Reply, Request, SentSliceRow, SentStepRow } from './child-messages.ts'
import { dieWithParent } from './die-with-parent.ts'
import { ExecutorSide, transportBytes } from './frame-transport.ts'
import type { TransportedResult } from './frame-transport.ts'
import { SharedMemory } from './shared-memory.ts'

/**
 * The executor process: builds one executor and answers its supervisor, one request after the other, in order; loads
 * may go on beside the rest, one at a time. It lives no longer than its supervisor. Signals meant for the whole process
 * group (a closed terminal, Ctrl-C, a service manager's SIGTERM) are left to the supervisor, which drains first.
 */
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
dieWithParent()
returnSpareMemory()
process.on('disconnect', () => process.exit(0))

const [, , spec = '', memoryFd] = process.argv
const executor = await buildExecutor(JSON.parse(spec) as ExecutorSpec).catch(giveUp)
const side = new ExecutorSide(memoryFd ? SharedMemory.attach(Number(memoryFd), transportBytes) : null)
let turn: Promise<void> = Promise.resolve()
let loads: Promise<void> = Promise.resolve()
process.on('message', (request: Request) => {
  turn = turn.then(() => {
    if (!request.isBeside) return respond(request)
    loads = loads.then(() => respond(request))
  })
})
reply({ type: 'ready', caps: executor.caps })

async function respond(request: Request): Promise<void> {
  const before = process.cpuUsage()
  const answered = await answer(request)
  const { user, system } = process.cpuUsage(before)
  reply({ ...answered, id: request.id, cpuMs: (user + system) / 1000 })
}

async function answer(request: Request): Promise<Answer> {
  try {
    return { type: 'done', value: await perform(request) }
  } catch (error) {
    return failure(error)
  }
}

function failure(error: unknown): Answer {
  const { code, message, cause } = asLeadlineError(error)
  if (code === 'INTERNAL') process.stderr.write(`${cause instanceof Error ? cause.stack : String(cause)}\n`)
  return { type: 'failed', code, detail: message }
}

/** Say why there is no executor, and end. */
function giveUp(error: unknown): Promise<never> {
  return new Promise(() => process.send?.({ ...failure(error), id: 0, cpuMs: 0 }, () => process.exit(1)))
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
      return step(...request.args)
    case 'slice':
      return slice(...request.args)
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

async function step(model: number, rows: readonly SentStepRow[]): Promise<TransportedResult[]> {
  const inside = rows.map((row) => ({
    state: row.state,
    framesSeen: row.framesSeen,
    frame: side.frame(row)!,
    into: side.depthTarget(row)
  }))
  const results = await executor.step(model, inside)
  return results.map((result, i) => side.put(result, rows[i]!))
}

async function slice(model: number, row: SentSliceRow): Promise<TransportedResult[]> {
  const { depthAt: _, ...inside } = row
  const result = await executor.slice(model, { ...inside, frame: side.frame(row) })
  return [result && side.put(result, row)]
}

function reply(message: Reply): void {
  if (process.connected) process.send?.(message)
}
