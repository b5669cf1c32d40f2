import { expect, test } from 'vitest'
import { nextSteps } from '../../src/cli/next-steps.ts'
import type { Finding } from '../../src/inference/index.ts'

const found = (subject: string, state: Finding['state'] = 'ok', remedy?: string): Finding => ({
  ...{ subject, state, detail: '' },
  ...(remedy !== undefined && { remedy })
})
const here = { device: 'cpu', redisUrl: null, host: '127.0.0.1', port: 8042 } as const

test('where all is well the next steps start it, and say how to get more of it', () => {
  expect(nextSteps([found('GPU', 'missing'), found('memory of leadline-nano')], here)).toEqual([
    'start it: leadline serve, then open http://127.0.0.1:8042',
    'get a stronger model: leadline models add vda-small (docs/models-add.md)',
    'see how much it bears: leadline bench ws://127.0.0.1:8042'
  ])
})

test('a GPU that is not used is named, and a model without room', () => {
  const steps = nextSteps(
    [
      found('GPU'),
      found('provider cuda'),
      found('memory of leadline-nano'),
      found('memory of large', 'missing')
    ],
    { ...here, redisUrl: 'redis://host' }
  )
  expect(steps).toEqual([
    'give large room for a session: LEADLINE_MEMORY_MIB=8192 leadline doctor',
    'try the GPU: LEADLINE_DEVICE=cuda leadline doctor',
    'start a worker here: leadline worker',
    'and a gateway, here or elsewhere: leadline gateway',
    'see how much it bears: leadline bench ws://127.0.0.1:8042'
  ])
})

test('where something is broken that comes first, and nothing is started on it', () => {
  const steps = nextSteps([found('trial on cuda', 'broken', 'take another')], { ...here, device: 'cuda' })
  expect(steps).toEqual([
    'mend trial on cuda: take another',
    'run on the CPU meanwhile: LEADLINE_DEVICE=cpu leadline serve',
    'then look again: LEADLINE_DEVICE=cuda leadline doctor'
  ])
})
