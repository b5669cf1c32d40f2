import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../helpers/free-port.ts'
import { run, temporaryFolder } from '../video/clip-file.ts'
import { readInfra } from './files.ts'

/** With all that a shell or a file of settings could take for something else. */
const password = String.raw`a "quoted" \n 'one' $HOME $(id) #`

interface Installation {
  folder: string
  port: number
}

/** infra/redis as a container has it, but for where its folders are and on which port of this machine it listens. */
async function installed(): Promise<Installation> {
  const folder = await temporaryFolder()
  const port = await freePort()
  for (const name of ['bin', 'data', 'etc', 'secrets']) await mkdir(path.join(folder, name))
  const here = (text: string) =>
    text
      .replaceAll('/etc/redis/', `${folder}/etc/`)
      .replaceAll('/run/secrets/', `${folder}/secrets/`)
      .replace(/^dir \/data$/m, `dir ${folder}/data\nport ${port}`)
      .replace(/^bind .*$/m, 'bind 127.0.0.1')
  for (const file of ['start.sh', 'healthy.sh', 'redis.conf'])
    await writeFile(path.join(folder, 'etc', file), here(readInfra(`redis/${file}`)))
  await writeFile(path.join(folder, 'secrets/redis-password'), `${password}\n`)
  const client = path.join(folder, 'bin/redis-cli')
  await writeFile(client, `#!/bin/sh\nPATH=$REST_OF_PATH exec redis-cli -p ${port} "$@"\n`)
  await chmod(client, 0o755)
  return { folder, port }
}

/** By start.sh; as it says that it is ready. Killed when the test ends. */
async function start({ folder }: Installation) {
  const child = spawn('sh', [path.join(folder, 'etc/start.sh')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  onTestFinished(kill)
  for await (const line of createInterface({ input: child.stdout }))
    if (line.includes('Ready to accept connections')) break
  child.stdout.resume()
  return { pid: child.pid!, kill }
}

function client(port: number, shown?: string): Redis {
  const redis = new Redis({
    ...{ port, retryStrategy: () => null, maxRetriesPerRequest: 0 },
    ...(shown !== undefined && { password: shown })
  })
  redis.on('error', () => undefined)
  onTestFinished(() => redis.disconnect())
  return redis
}

function isHealthy({ folder }: Installation): Promise<boolean> {
  const env = { PATH: `${folder}/bin:${process.env['PATH']}`, REST_OF_PATH: process.env['PATH'] }
  return run('sh', [path.join(folder, 'etc/healthy.sh')], { env }).then(
    () => true,
    () => false
  )
}

test('Redis is started with the password of its file, which stands in no argument and no environment', async () => {
  const redis = await installed()
  expect(await isHealthy(redis)).toBe(false)
  const { pid } = await start(redis)
  expect(await client(redis.port, password).ping()).toBe('PONG')
  await expect(client(redis.port).ping()).rejects.toThrow('NOAUTH')
  await expect(client(redis.port, 'another').ping()).rejects.toThrow('WRONGPASS')
  for (const file of ['cmdline', 'environ'])
    expect(await readFile(`/proc/${pid}/${file}`, 'utf8')).not.toContain('quoted')
  expect(await isHealthy(redis)).toBe(true)
  await writeFile(path.join(redis.folder, 'secrets/redis-password'), 'another')
  expect(await isHealthy(redis)).toBe(false)
})

test('what was written to it outlives its process', async () => {
  const redis = await installed()
  const before = await start(redis)
  const writer = client(redis.port, password)
  await writer.set('kept', 'yes')
  expect(await writer.config('GET', 'appendfsync')).toEqual(['appendfsync', 'everysec'])
  await expect.poll(() => writer.info('persistence')).toContain('aof_buffer_length:0\r\n')
  await before.kill()
  await start(redis)
  expect(await client(redis.port, password).get('kept')).toBe('yes')
})

test('it refuses to write when its memory is full, and throws nothing away', async () => {
  const redis = await installed()
  await start(redis)
  const writer = client(redis.port, password)
  expect(await writer.config('GET', 'maxmemory')).toEqual(['maxmemory', String(2 ** 30)])
  await writer.set('kept', 'yes', 'EX', 3600)
  await writer.config('SET', 'maxmemory', '1')
  await expect(writer.set('more', 'x')).rejects.toThrow('OOM')
  expect(await writer.get('kept')).toBe('yes')
})
