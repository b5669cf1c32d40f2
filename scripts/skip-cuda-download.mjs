/**
 * Runs before the install scripts of dependencies. ONNX Runtime's fetches CUDA libraries from a server of its own, about
 * 300 MB, and where it cannot reach that the whole installation fails. Who wants them asks (docs/gpu.md), so the switch
 * of that script gets the default "skip"; what is set wins. Without it the installation is as it was: this never fails.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const line = `
// Put here by Leadline: nothing is downloaded unless it is asked for.
if (!Object.keys(process.env).some((name) => /^(npm_config_)?onnxruntime_node_install/i.test(name)))
  process.env.ONNXRUNTIME_NODE_INSTALL = 'skip';
`

try {
  const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json')
  const script = path.join(path.dirname(manifest), 'script', 'install.js')
  const text = readFileSync(script, 'utf8')
  if (!text.includes(line))
    writeFileSync(
      script,
      text.replace("'use strict';\n", (start) => start + line)
    )
} catch (error) {
  console.warn(`onnxruntime-node may download CUDA libraries now: ${error.message}`)
}
