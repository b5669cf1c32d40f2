/**
 * Removes from node_modules, given as the argument, the binaries of every platform but this one. ONNX Runtime ships all of
 * them in one package, 288 MB; koffi those for glibc and for musl. Fails where a package is not laid out as it is known to
 * be, so that a new version of it cannot bring them back unseen.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'

const { platform, arch } = process
const modules = process.argv[2] ?? 'node_modules'

keepAlone('onnxruntime-node/bin/napi-v6', platform)
keepAlone(`onnxruntime-node/bin/napi-v6/${platform}`, arch)
keepAlone(`@koromix/koffi-${platform}-${arch}`, `${platform}_${arch}`)

/** Of the folders in `folder`, only the one that is needed here. */
function keepAlone(folder, needed) {
  const root = path.join(modules, folder)
  if (!existsSync(path.join(root, needed)))
    throw new Error(`${root} has no folder ${needed}: say here what it has instead`)
  for (const entry of readdirSync(root, { withFileTypes: true }))
    if (entry.isDirectory() && entry.name !== needed) rmSync(path.join(root, entry.name), { recursive: true })
}
