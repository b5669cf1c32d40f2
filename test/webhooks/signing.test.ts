import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { overlapMs, signing } from '../../src/webhooks/secrets/secret-store.ts'

const [newest, before] = [
  { secret: 'whsec_newest', madeAtMs: 1_000_000 },
  { secret: 'whsec_before', madeAtMs: 0 }
]

test('the secret before signs beside the new one for 24 hours, as the page says, and not a moment longer', () => {
  const page = readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8')
  expect(page).toContain(`the one before signs beside it for ${overlapMs / 3_600_000} hours`)
  const end = newest.madeAtMs + overlapMs
  expect(signing([newest, before], newest.madeAtMs)).toEqual(['whsec_newest', 'whsec_before'])
  expect(signing([newest, before], end - 1)).toEqual(['whsec_newest', 'whsec_before'])
  expect(signing([newest, before], end)).toEqual(['whsec_newest'])
})

test('the newest signs however old it is, and where there is none nothing does', () => {
  expect(signing([newest], newest.madeAtMs + 100 * overlapMs)).toEqual(['whsec_newest'])
  expect(signing([], 0)).toEqual([])
})
