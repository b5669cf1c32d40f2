import type { Pointer } from './c-api.ts'
import type { OpenRuntime } from './open-runtime.ts'

interface OneRun {
  inputs: ReadonlyMap<string, Pointer>
  outputs: ReadonlyMap<string, Pointer>
  /** Of ONNX Runtime, for this run. */
  settings?: Record<string, string>
}

/** Runs a session once, with these values bound to its inputs and outputs. */
export async function runOnce(
  { api }: OpenRuntime,
  session: Pointer,
  { inputs, outputs, settings = {} }: OneRun
): Promise<void> {
  const binding = api.make('createIoBinding', session)
  const options = api.make('createRunOptions')
  try {
    for (const [key, value] of Object.entries(settings)) api.call('addRunConfigEntry', options, key, value)
    for (const [name, value] of inputs) api.call('bindInput', binding, name, value)
    for (const [name, value] of outputs) api.call('bindOutput', binding, name, value)
    api.call('synchronizeBoundInputs', binding)
    await api.callAsync('runWithBinding', session, options, binding)
    api.call('synchronizeBoundOutputs', binding)
  } finally {
    api.release('runOptions', options)
    api.release('ioBinding', binding)
  }
}
