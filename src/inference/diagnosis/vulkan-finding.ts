import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { userFolder } from '../../machine/user-folder.ts'
import type { Finding } from './finding.ts'

const subject = 'Vulkan'
const remedy =
  'for webgpu: apt-get install libvulkan1 and mesa-vulkan-drivers (AMD, Intel; version 25 or later), or NVIDIA’s driver; ' +
  'in a container, NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility'

/** What WebGPU runs on: the GPUs that Vulkan knows, or its drivers where vulkaninfo is not installed. */
export async function findVulkan(): Promise<Finding> {
  if (process.platform !== 'linux')
    return { subject, state: 'ok', detail: 'not needed here: WebGPU runs on Metal or Direct3D' }
  if (process.arch !== 'x64')
    return {
      ...{ subject, state: 'missing', detail: `onnxruntime-node has no WebGPU for Linux on ${process.arch}` },
      remedy: 'for webgpu: a machine with an x64 processor'
    }
  const drivers = await findDrivers()
  if (drivers.length === 0) return { subject, state: 'missing', detail: 'no driver is installed', remedy }
  const devices = await listDevices()
  return { subject, state: 'ok', detail: [...devices, `drivers: ${drivers.join(', ')}`].join('; ') }
}

/** The files by which drivers make themselves known to Vulkan's loader. */
async function findDrivers(): Promise<string[]> {
  const named = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES
  if (named) return named.split(path.delimiter).filter((file) => existsSync(file))
  const own = userFolder(process.env.XDG_DATA_HOME, '.local/share')
  const folders = ['/etc', '/usr/local/share', '/usr/share', ...(own === null ? [] : [own])]
  const files = folders.map((folder) => readdir(path.join(folder, 'vulkan', 'icd.d')).catch(() => []))
  return (await Promise.all(files)).flat().filter((file) => file.endsWith('.json'))
}

async function listDevices(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('vulkaninfo', ['--summary'], { timeout: 20_000 }).catch(
    () => ({
      stdout: ''
    })
  )
  const values = (key: string) =>
    [...stdout.matchAll(new RegExp(`^\\s*${key}\\s*= (.*)$`, 'gm'))].map(([, value]) => value!)
  const versions = values('driverInfo')
  return values('deviceName').map((name, i) => [name, versions[i]].filter(Boolean).join(', '))
}
