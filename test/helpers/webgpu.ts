import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { loadForWebGpu } from '../../src/inference/executors/ort-webgpu/webgpu-session.ts'
import { GraphBuilder } from '../../src/inference/graph/graph-builder.ts'

const folder = path.join(
  process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'),
  'leadline',
  'vulkan'
)
const driver = path.join(folder, 'lvp.json')

/**
 * Makes WebGPU of this process, and of those it starts, use the driver that scripts/software-vulkan.sh left, where it did.
 * Why WebGPU cannot be used here, or null. To be called before anything else of the process uses WebGPU.
 */
export async function whyNoWebGpu(): Promise<string | null> {
  if (existsSync(driver))
    Object.assign(process.env, {
      VK_DRIVER_FILES: driver,
      VK_ICD_FILENAMES: driver,
      // Narrow vectors halve the time that its compiler takes for a shader, which is most of what a test takes.
      LP_NATIVE_VECTOR_WIDTH: '128',
      LP_NUM_THREADS: '1',
      MESA_SHADER_CACHE_DIR: folder
    })
  const graph = new GraphBuilder()
  graph.output('y', [1])
  graph.node('Identity', [graph.input('x', 'float32', [1])], { outputs: ['y'] })
  try {
    await (await loadForWebGpu(graph.toModel(), [])).release()
    return null
  } catch (error) {
    return `${String(error)} (scripts/software-vulkan.sh fetches a software driver)`
  }
}
