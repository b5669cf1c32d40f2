import { existsSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { environmentSchema } from '../../src/environment.ts'
import { stopMs } from '../../src/machine/stop-time.ts'
import { run } from '../video/clip-file.ts'
import { infra, readInfra, readYaml, root } from './files.ts'

interface Service {
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  restart?: string
  stop_grace_period?: string
  command?: string[]
  ports?: string[]
  secrets?: string[]
  configs?: { source: string }[]
  volumes?: string[]
  networks?: string[]
  environment?: Record<string, string>
}

interface Compose {
  services: Record<string, Service>
  networks: Record<string, { internal?: boolean } | null>
  volumes: Record<string, unknown>
  configs: Record<string, { file: string }>
  secrets: Record<string, { file: string }>
}

const compose = readYaml<Compose>('compose/compose.yaml')
const services = Object.entries(compose.services)

test.each(services)('%s cannot write to its root, has no privileges, and comes back', (_, service) => {
  expect(service).toMatchObject({
    ...{ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
    restart: 'unless-stopped'
  })
})

test('a process of ours has the time that it takes to stop', () => {
  const ours = services.filter(([, { command }]) => /^(gateway|worker)$/.test(command?.[0] ?? ''))
  expect(ours.map(([name]) => name)).toEqual(['gateway', 'worker', 'worker-gpu'])
  for (const [, service] of ours) {
    const [, seconds] = /^(\d+)s$/.exec(service.stop_grace_period ?? '') ?? []
    expect(Number(seconds) * 1000).toBeGreaterThan(stopMs)
  }
})

test('what services name is there, and only the proxy can be reached, from this machine alone', () => {
  for (const [name, service] of services) {
    for (const secret of service.secrets ?? []) expect(compose.secrets).toHaveProperty([secret])
    for (const { source } of service.configs ?? []) expect(compose.configs).toHaveProperty([source])
    for (const volume of service.volumes ?? [])
      expect(compose.volumes).toHaveProperty([volume.split(':')[0] ?? ''])
    for (const network of service.networks ?? []) expect(compose.networks).toHaveProperty([network])
    if (name !== 'proxy') expect(service.ports).toBeUndefined()
  }
  expect(compose.services['proxy']?.ports).toEqual([expect.stringContaining(':-127.0.0.1:')])
  expect(compose.networks['inside']).toEqual({ internal: true })
  for (const { file } of Object.values(compose.configs))
    expect(existsSync(path.join(infra, 'compose', file)), file).toBe(true)
})

test('every variable that a service of ours is given is one that Leadline reads, and its value may be', () => {
  for (const name of ['gateway', 'worker', 'worker-gpu']) {
    const { REDIS_PASSWORD_FILE: _, ...environment } = compose.services[name]?.environment ?? {}
    const given = Object.entries(environment).map(([key, value]) => [
      key,
      value.replace(/^\$\{.*:-(.*)\}$/, '$1')
    ])
    expect(Object.keys(environmentSchema.properties)).toEqual(
      expect.arrayContaining(Object.keys(environment))
    )
    expect(loadConfig(Object.fromEntries(given) as NodeJS.ProcessEnv).redisUrl).toBe('redis://redis:6379')
  }
})

test('nginx has the configuration that is tested, with the gateways of compose behind it', () => {
  expect(compose.configs['nginx']?.file).toBe('../proxy/nginx.conf')
  expect(readInfra('proxy/nginx.conf')).toContain('proxy_pass http://leadline;')
  const { port } = loadConfig({})
  for (const [file, host] of [
    ['proxy/upstream.conf', '127.0.0.1'],
    ['compose/upstream.conf', 'gateway']
  ])
    expect(readInfra(`${file}`)).toMatch(
      new RegExp(`^upstream leadline \\{\\n  server ${host}:${port};\\n\\}$`, 'm')
    )
  expect(compose.services).toHaveProperty('gateway')
})

test('the password of Redis is in a file that is not committed, and in no environment', async () => {
  const file = compose.secrets['redis-password']?.file ?? ''
  expect(readInfra('../.gitignore').split('\n')).toContain(
    `/${path.join('infra/compose', path.dirname(file))}/`
  )
  const { stdout } = await run('git', ['ls-files', 'infra/compose/secrets'], { cwd: root })
  expect(stdout).toBe('')
  for (const [, { environment = {} }] of services)
    for (const value of Object.values(environment)) expect(value).not.toMatch(/:[^/@]+@/)
  expect(compose.services['gateway']?.environment).toMatchObject({
    REDIS_PASSWORD_FILE: '/run/secrets/redis-password'
  })
})

test('Redis throws nothing away, and keeps what it has over a restart', () => {
  const settings = readInfra('redis/redis.conf').split('\n')
  expect(settings).toEqual(expect.arrayContaining(['maxmemory-policy noeviction', 'appendonly yes']))
})
