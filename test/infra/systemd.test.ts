import { expect, test } from 'vitest'
import { stopMs } from '../../src/machine/stop-time.ts'
import { readInfra } from './files.ts'

const common = readInfra('systemd/leadline-.service.d/10-common.conf').split('\n')

test('a unit waits to hear that it serves, has a watchdog, and the time that a process takes to stop', () => {
  expect(common).toEqual(expect.arrayContaining(['Type=notify', 'WatchdogSec=30s', 'Restart=always']))
  const [, seconds] = /^TimeoutStopSec=(\d+)s$/m.exec(common.join('\n')) ?? []
  expect(Number(seconds) * 1000).toBeGreaterThan(stopMs)
})

test('the main process alone is told to stop, and a lost executor is left to it', () => {
  expect(common).toEqual(expect.arrayContaining(['KillMode=mixed', 'OOMPolicy=continue']))
})

test.each(['gateway', 'worker@'])('%s has the password of Redis as a credential', (name) => {
  const unit = readInfra(`systemd/leadline-${name}.service`)
  expect(unit).toContain('LoadCredential=redis-password:/etc/leadline/redis-password\n')
  expect(unit).toMatch(/^Environment=REDIS_PASSWORD_FILE=%d\/redis-password( |$)/m)
})
