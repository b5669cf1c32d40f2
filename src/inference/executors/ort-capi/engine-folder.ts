import path from 'node:path'
import { diskFailure } from '../../../machine/disk-failure.ts'
import { makeFolder } from '../../../machine/make-folder.ts'
import { digestOf } from '../../weights/digest.ts'
import type { DeviceSpec } from './device-spec.ts'

/**
 * The device with a folder for the TensorRT engines of this graph and this ONNX Runtime alone. An engine is filed under the
 * names in its graph, which networks of other weights, sizes and windows share: in one folder they would be mistaken for
 * each other. Another version may build from the same graph another engine.
 */
export async function withEngineFolder(
  device: DeviceSpec,
  { version, graph }: { version: string; graph: Uint8Array }
): Promise<DeviceSpec> {
  if (device.device !== 'tensorrt' || device.engineDir === undefined) return device
  const engineDir = path.join(device.engineDir, `onnxruntime-${version}`, digestOf(graph).slice(0, 16))
  try {
    await makeFolder(engineDir)
  } catch (error) {
    throw diskFailure(error, `The folder of engines ${device.engineDir}`, 'LEADLINE_ENGINE_DIR') ?? error
  }
  return { ...device, engineDir }
}
