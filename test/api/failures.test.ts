import { pino } from 'pino'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { Failures } from '../../src/api/failures.ts'
import { errorCodes, errorDefinition, LeadlineError } from '../../src/errors.ts'

const log = pino({ level: 'silent' })

function failuresWith(random: number): Failures {
  return new Failures({ metrics: new Registry(), random: () => random })
}

test('every temporary failure says how long to wait, and no other does', () => {
  const failures = failuresWith(0.5)
  for (const code of errorCodes) {
    const { retryMs } = errorDefinition(code)
    const told = failures.tell(new LeadlineError(code, 'x'), log)
    expect(told, code).toMatchObject({ temporary: retryMs !== null })
    expect(told.retryAfterMs ?? null, code).toBe(retryMs)
  }
})

test('clients that failed together are spread from half to one and a half of the wait', () => {
  const failure = new LeadlineError('NO_CAPACITY', 'full', { retryAfterMs: 30_000 })
  expect(failuresWith(0).tell(failure, log).retryAfterMs).toBe(15_000)
  expect(failuresWith(0.9999).tell(failure, log).retryAfterMs).toBe(44_997)
})

test('a failure whose text is for the operator is told in fixed words', () => {
  const failure = new LeadlineError('MODEL_FILE_INVALID', '/srv/models/x/model.safetensors is cut short')
  const told = failuresWith(0).tell(failure, log)
  expect(told).toEqual({
    code: 'MODEL_FILE_INVALID',
    title: 'The model file is not valid',
    detail: 'The files of the model on the server are damaged; its log names them',
    temporary: false
  })
})
