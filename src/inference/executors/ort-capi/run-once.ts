import type { Pointer } from './c-api.ts'
import type { Runtime } from './runtime.ts'

/** Runs a session once, with these values bound to its inputs and outputs. */
export async function runOnce(
  { api }: Runtime,
  session: Pointer,
  { inputs, outputs }: Record<'inputs' | 'outputs', ReadonlyMap<string, Pointer>>
): Promise<void> {
  const binding = api.make('createIoBinding', session)
  const options = api.make('createRunOptions')
  try {
    for (const [name, value] of inputs) api.call('bindInput', binding, name, value)
    for (const [name, value] of outputs) api.call('bindOutput', binding, name, value)
    await api.callAsync('runWithBinding', session, options, binding)
    api.call('synchronizeBoundOutputs', binding)
  } finally {
    api.release('runOptions', options)
    api.release('ioBinding', binding)
  }
}
