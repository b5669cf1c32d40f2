import { expect, onTestFinished, test, vi } from 'vitest'
import { findVulkan } from '../../../src/inference/diagnosis/vulkan-finding.ts'

const runsVulkan = process.platform === 'linux' && process.arch === 'x64'

test.runIf(runsVulkan)(
  'a driver that is named is listed; where there is none, how to get one is said',
  async () => {
    onTestFinished(() => void vi.unstubAllEnvs())
    vi.stubEnv('VK_DRIVER_FILES', import.meta.filename)
    expect(await findVulkan()).toMatchObject({
      state: 'ok',
      detail: expect.stringContaining(import.meta.filename) as string
    })
    vi.stubEnv('VK_DRIVER_FILES', '/nowhere/driver.json')
    expect(await findVulkan()).toMatchObject({
      state: 'missing',
      remedy: expect.stringContaining('mesa-vulkan-drivers') as string
    })
  }
)
