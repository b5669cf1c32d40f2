import { FakeExecutor } from '../../src/inference/executors/fake.ts'
import { ProcessExecutor } from '../../src/inference/executors/process.ts'
import { silent } from '../inference/fake-engine.ts'
import { executorContract } from './executor.suite.ts'
import { noWeights, smallPlan } from './plans.ts'

const plan = () => smallPlan(noWeights)

executorContract({ name: 'fake', create: async () => new FakeExecutor(), plan })

executorContract({
  name: 'fake in a process',
  create: () => ProcessExecutor.start({ spec: { kind: 'fake' }, log: silent }),
  plan
})
