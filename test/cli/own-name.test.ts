import { expect, test } from 'vitest'
import { ownName } from '../../src/cli/own-name.ts'

test('a program names the command by which its user can start it again', () => {
  expect(ownName({})).toBe('npm run leadline --')
  expect(ownName({ npm_command: 'exec' }, '/app/node_modules/leadline/dist/cli/own-name.js')).toBe(
    'npx leadline'
  )
  expect(ownName({}, '/usr/lib/node_modules/leadline/dist/cli/own-name.js')).toBe('leadline')
})
