import { expect, test } from 'vitest'
import { hintsFor } from '../../src/cli/announcement.ts'

const url = 'http://127.0.0.1:8042'

test('who starts a server is told what to try, by the name that the program has there', () => {
  expect(hintsFor({ url, model: 'leadline-nano' }, 'npx leadline')).toEqual([
    `open it in a browser, or: curl ${url}/v1/models`,
    `look at it: npx leadline top --url ${url}`,
    'a stronger model, 116 MB: npx leadline models add vda-small, then npx leadline serve --model vda-small'
  ])
})

test('who has a stronger model than the bundled one is not told of another', () => {
  const hints = hintsFor({ url, model: 'vda-small' }, 'leadline')
  expect(hints.filter((hint) => hint.includes('stronger'))).toEqual([])
})

test('of a worker only its figures can be asked for', () => {
  const metrics = 'http://127.0.0.1:9464/metrics'
  expect(hintsFor({ worker: 'w', model: 'leadline-nano', metrics }, 'leadline')).toEqual([
    `its figures: curl ${metrics}`
  ])
})
