export type DeviceKind = 'cpu' | 'cuda' | 'tensorrt'

/** Where networks run, and how. */
export interface DeviceSpec {
  device: DeviceKind
  /** Which of several GPUs. @default 0 */
  deviceId?: number
  /** Threads of one step on the CPU. @default 1 */
  threads?: number
  /** Most that ONNX Runtime may take for weights and workspace of all networks; latent caches come on top. @default no limit */
  workspaceBytes?: number
  /** Folder where TensorRT keeps its engines and timings. @default none: engines are built at every start */
  engineDir?: string
}
