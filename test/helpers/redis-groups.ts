import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import { expect, onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'
import { startRedis } from './redis.ts'
import type { RedisServer } from './redis.ts'

/** Several redis-servers that stand in for each other, for one test; ended with it. */

const patient = { timeout: 60_000, interval: 100 }
const slots = 16_384

export interface Sentinels {
  /** Of a sentinel that is not there and one that is. */
  url: string
  master: RedisServer
  replica: RedisServer
}

/** A master, its replica and one sentinel, which takes a master for dead after a second. */
export async function startSentinels(): Promise<Sentinels> {
  const master = await server()
  const replica = await server(['--replicaof', '127.0.0.1', `${master.port}`])
  await expect.poll(() => ask(replica, 'INFO', 'replication'), patient).toContain('master_link_status:up')
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-sentinel-'))
  const port = await freePort()
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor depth 127.0.0.1 ${master.port} 1`,
    'sentinel down-after-milliseconds depth 1000',
    'sentinel failover-timeout depth 5000'
  ]
  await writeFile(path.join(folder, 'sentinel.conf'), settings.join('\n'))
  const child = spawn('redis-server', [path.join(folder, 'sentinel.conf'), '--sentinel'], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  onTestFinished(async () => {
    const exited = once(child, 'exit')
    if (child.kill('SIGKILL')) await exited
    await rm(folder, { recursive: true, force: true })
  })
  createInterface({ input: child.stdout! }).resume()
  // It finds replicas and tells them within seconds of its start.
  await expect
    .poll(() => ask({ url: `redis://127.0.0.1:${port}` }, 'SENTINEL', 'REPLICAS', 'depth'), patient)
    .toContain(`${replica.port}`)
  const url = `redis+sentinel://127.0.0.1:${await freePort()},127.0.0.1:${port}/depth`
  return { url, master, replica }
}

export interface Cluster {
  /** Of the two nodes that have none of the slots that are asked for. */
  url: string
  owner: RedisServer
  replica: RedisServer
}

/** Three masters, and a replica of the one that owns the slot of this hash tag. */
export async function startCluster(hashTag: string): Promise<Cluster> {
  const nodes = await Promise.all(Array.from({ length: 4 }, async () => clusterNode()))
  const [replica, ...masters] = nodes as [ClusterNode, ClusterNode, ClusterNode, ClusterNode]
  await Promise.all(
    masters.map((node, i) => {
      const [from, to] = [i, i + 1].map((part) => Math.floor((part * slots) / masters.length))
      return ask(node.server, 'CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${to! - 1}`)
    })
  )
  for (const { server, busPort } of masters) {
    await ask(replica.server, 'CLUSTER', 'MEET', '127.0.0.1', `${server.port}`, `${busPort}`)
  }
  const isWhole = async (): Promise<boolean> => {
    const states = await Promise.all(nodes.map((node) => ask(node.server, 'CLUSTER', 'INFO')))
    return states.every((state) => /cluster_state:ok[^]*cluster_known_nodes:4/.test(state))
  }
  await expect.poll(isWhole, patient).toBe(true)
  const slot = Number(await ask(replica.server, 'CLUSTER', 'KEYSLOT', hashTag))
  const owner = masters[Math.floor((slot * masters.length) / slots)]!
  await ask(replica.server, 'CLUSTER', 'REPLICATE', await ask(owner.server, 'CLUSTER', 'MYID'))
  await expect
    .poll(() => ask(replica.server, 'INFO', 'replication'), patient)
    .toContain('master_link_status:up')
  const others = masters.filter((node) => node !== owner)
  const seeds = others.map((node) => `127.0.0.1:${node.server.port}`)
  return { url: `redis+cluster://${seeds.join(',')}`, owner: owner.server, replica: replica.server }
}

interface ClusterNode {
  server: RedisServer
  busPort: number
}

async function clusterNode(): Promise<ClusterNode> {
  const busPort = await freePort()
  const settings = [
    '--cluster-enabled',
    'yes',
    '--cluster-port',
    `${busPort}`,
    '--cluster-node-timeout',
    '2000'
  ]
  return { server: await server(settings), busPort }
}

async function server(settings: readonly string[] = []): Promise<RedisServer> {
  const started = await startRedis(settings)
  onTestFinished(() => started.stop())
  return started
}

/** The answer as text; what cannot be asked is empty. */
async function ask({ url }: { url: string }, command: string, ...values: string[]): Promise<string> {
  const redis = new Redis(url, { retryStrategy: null, lazyConnect: true })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return String(await redis.call(command, ...values))
  } catch {
    return ''
  } finally {
    redis.disconnect()
  }
}
