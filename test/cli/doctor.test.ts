import { expect, onTestFinished, test, vi } from 'vitest'
import { parse } from './parse.ts'

interface Line {
  subject: string
  state: string
  detail: string
  remedy?: string
}

async function doctor(
  environment: Record<string, string> = {}
): Promise<{ exitCode: number; lines: Line[]; next: string[] }> {
  for (const [name, value] of Object.entries({ LEADLINE_THREADS: '1', ...environment }))
    vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
  const { exitCode, stdout } = await parse(['doctor', '--json'])
  const lines = stdout.trim().split('\n')
  const next = JSON.parse(lines.pop() ?? '') as { next: string[] }
  return { exitCode, lines: lines.map((line) => JSON.parse(line) as Line), ...next }
}

test('on the CPU all is well: the library, and the default model runs as it should', async () => {
  const { exitCode, lines, next } = await doctor()
  expect(next).toContainEqual(expect.stringContaining('leadline serve'))
  expect(exitCode).toBe(0)
  expect(lines.find(({ subject }) => subject === 'ONNX Runtime')).toMatchObject({
    state: 'ok',
    detail: expect.stringMatching(/^1\.\d+\.\d+, .*libonnxruntime/) as string
  })
  expect(lines.find(({ subject }) => subject === 'memory of leadline-nano')).toMatchObject({
    state: 'ok',
    detail: expect.stringMatching(/^ovda \(window 16\) takes up to .* a session, \d+ fit/) as string
  })
  expect(lines.at(-1)).toMatchObject({
    subject: 'trial on cpu',
    state: 'ok',
    detail: expect.stringMatching(/^leadline-nano at \d+x\d+ on ort-node/) as string
  })
})

test('the C API on the CPU computes what the CPU computes', async () => {
  const { exitCode, lines } = await doctor({ LEADLINE_EXECUTOR: 'ort-capi', LEADLINE_PRECISION: 'fp32' })
  expect(exitCode).toBe(0)
  expect(lines.at(-1)!.detail).toMatch(/on ort-capi.*differs from the CPU by 0\.0e\+0/)
})

test('a device without its provider is broken, and what is missing is named with a remedy', async () => {
  const { exitCode, lines, next } = await doctor({ LEADLINE_DEVICE: 'cuda' })
  expect(next).toContainEqual(expect.stringContaining('LEADLINE_DEVICE=cpu leadline serve'))
  expect(exitCode).toBe(1)
  expect(lines.find(({ subject }) => subject === 'provider cuda')).toMatchObject({
    state: 'missing',
    detail: expect.stringContaining('libonnxruntime_providers_cuda.so') as string,
    remedy: expect.stringContaining('LEADLINE_ORT_LIBRARY') as string
  })
  expect(lines.at(-1)).toMatchObject({ subject: 'trial on cuda', state: 'broken' })
})

test('settings that no executor can follow are named', async () => {
  const { exitCode, lines } = await doctor({ LEADLINE_DEVICE: 'cuda', LEADLINE_EXECUTOR: 'ort-node' })
  expect(exitCode).toBe(1)
  expect(lines.at(-1)!.detail).toMatch(/LEADLINE_EXECUTOR=ort-node runs on the CPU/)
})
