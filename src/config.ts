import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import envSchema from 'env-schema'
import type { Environment } from './environment.ts'
import { environmentSchema } from './environment.ts'
import { parseSize } from './parse-size.ts'
import type { Mode } from './session.ts'
import { userFolder } from './machine/user-folder.ts'

export interface Config {
  host: string
  port: number
  /** Host names, without port. Empty: see `LEADLINE_ALLOWED_HOSTS`. */
  allowedHosts: readonly string[]
  /** `scheme://host:port`, "null" or "*". */
  allowedOrigins: readonly string[]
  auth: Environment['LEADLINE_AUTH']
  /** Addresses and networks. Empty: no proxy is believed. */
  trustedProxies: readonly string[]
  refusalsPerMinute: number
  /** Of a client. */
  key: string | null
  /** Of a worker; null for none. */
  metricsPort: number | null
  metricsPerKey: boolean
  /** Of the collector of traces; null: none. */
  traceEndpoint: string | null
  /** Of how many frames one is traced. */
  traceEvery: number
  logLevel: Environment['LEADLINE_LOG_LEVEL']
  /** null: embedded mode. */
  redisUrl: string | null
  keyPrefix: string
  workerId: string | null
  defaultModel: string
  /** Searched in this order. */
  modelsDirs: readonly string[]
  /** Where `models add` writes; null: no home is known. */
  addedModelsDir: string | null
  allowNonCommercial: boolean
  executor: Environment['LEADLINE_EXECUTOR']
  device: Environment['LEADLINE_DEVICE']
  deviceId: number
  ortLibrary: string | null
  /** null: no limit. */
  workspaceBytes: number | null
  engineDir: string | null
  /** Rows of a step. */
  maxBatch: number
  threads: number
  precision: Environment['LEADLINE_PRECISION']
  /** Sizes of source frames. */
  warmUpSizes: readonly { width: number; height: number }[]
  /** cacheSize null: the model's own. Empty: ovda, or a model's first mode. */
  warmUpModes: readonly { mode: Mode; cacheSize: number | null }[]
  memoryBytes: number
  /** Of a worker. */
  replayBytes: number
  parkedBytes: number
  /** Of a gateway. */
  ringBytes: number
  /** null: chosen by user and port. */
  dataDir: string | null
  /** Where this user keeps what should last; null: no home is known. */
  stateDir: string | null
  maxFrameBytes: number
  maxContextBytes: number
  maxPixels: number
  maxClipBytes: number
  maxWaitingClips: number
  maxUploads: number
  maxConnections: number
  /** 0: no limit. */
  maxConnectionsPerAddress: number
  /** 0: no limit. */
  maxUnprovenPerAddress: number
  /** 0: no limit. */
  maxUnreadBytes: number
  /** Of the event loop, on the mean; 0: no limit. */
  maxLoopDelayMs: number
  uploadTimeoutMs: number
  requestTimeoutMs: number
  maxClipFrames: number
  maxClipDiskBytes: number
  minFreeBytes: number
  /** Of clips; null: they lie in a folder. */
  bucket: { url: string; region: string; accessKey: string; secretKey: string } | null
  /** Addresses and networks. */
  clipUrlNetworks: readonly string[]
  /** Addresses and networks. */
  webhookNetworks: readonly string[]
  /** Since a clip ended; null: kept until it is deleted. */
  clipMaxAgeMs: number | null
  /** Of all ended clips; null: no limit. */
  clipMaxBytes: number | null
  /** Of an upload, since something of it came. */
  uploadMaxAgeMs: number
  configTimeoutMs: number
  keepAliveMs: number
  idleTimeoutMs: number
  /** Between not being ready any more and not listening. */
  lameDuckMs: number
  /** Of a session without a client; 0: none is kept. */
  graceMs: number
  /** Of a session that takes device memory and sends no frame; 0: it keeps it while nobody else needs it. */
  parkAfterMs: number
  /** How much fuller than another a worker may be, as a share of its device memory. 1: never too much. */
  balanceAbove: number
}

/**
 * The one place that reads the environment, and the files that it names for secrets. Throws with the variable's name when
 * a value is not valid.
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const env = envSchema<Environment>({ schema: environmentSchema, data: environment, dotenv: false })
  const addedModelsDir = env.LEADLINE_MODELS_DIR || userModelsDir(environment)
  return Object.freeze({
    host: env.LEADLINE_HOST,
    port: env.LEADLINE_PORT,
    allowedHosts: Object.freeze(env.LEADLINE_ALLOWED_HOSTS.toLowerCase().split(',').filter(Boolean)),
    allowedOrigins: Object.freeze(env.LEADLINE_ALLOWED_ORIGINS.split(',').filter(Boolean)),
    auth: env.LEADLINE_AUTH,
    trustedProxies: Object.freeze(env.LEADLINE_TRUST_PROXY.split(',').filter(Boolean)),
    refusalsPerMinute: env.LEADLINE_REFUSALS_PER_MINUTE,
    key: env.LEADLINE_KEY || null,
    metricsPort: env.LEADLINE_METRICS_PORT < 0 ? null : env.LEADLINE_METRICS_PORT,
    metricsPerKey: env.LEADLINE_METRICS_PER_KEY,
    traceEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT || null,
    traceEvery: env.LEADLINE_TRACE_EVERY,
    logLevel: env.LEADLINE_LOG_LEVEL,
    redisUrl: env.REDIS_URL === '' ? null : redisUrlOf(env),
    keyPrefix: env.LEADLINE_KEY_PREFIX,
    workerId: env.LEADLINE_WORKER_ID || null,
    defaultModel: env.LEADLINE_MODEL,
    modelsDirs: Object.freeze(
      addedModelsDir === null ? [bundledModelsDir] : [bundledModelsDir, addedModelsDir]
    ),
    addedModelsDir,
    allowNonCommercial: env.LEADLINE_ALLOW_NONCOMMERCIAL,
    executor: env.LEADLINE_EXECUTOR,
    device: env.LEADLINE_DEVICE,
    deviceId: env.LEADLINE_DEVICE_ID,
    ortLibrary: env.LEADLINE_ORT_LIBRARY || null,
    workspaceBytes: env.LEADLINE_WORKSPACE_MIB * 2 ** 20 || null,
    engineDir: env.LEADLINE_ENGINE_DIR || null,
    maxBatch: env.LEADLINE_MAX_BATCH || (env.LEADLINE_DEVICE === 'cpu' ? 1 : 8),
    threads: env.LEADLINE_THREADS || Math.max(1, os.availableParallelism() - 1),
    precision: env.LEADLINE_PRECISION,
    warmUpSizes: Object.freeze(
      env.LEADLINE_WARMUP.split(',')
        .filter(Boolean)
        .map((size) => parseSize(size)!)
    ),
    warmUpModes: Object.freeze(env.LEADLINE_WARMUP_MODES.split(',').filter(Boolean).map(modeOf)),
    memoryBytes: env.LEADLINE_MEMORY_MIB * 2 ** 20,
    replayBytes: env.LEADLINE_REPLAY_MIB * 2 ** 20,
    parkedBytes: env.LEADLINE_PARKED_MIB * 2 ** 20,
    ringBytes: env.LEADLINE_RING_MIB * 2 ** 20,
    dataDir: env.LEADLINE_DATA_DIR || null,
    stateDir: userFolder(environment.XDG_STATE_HOME, '.local/state'),
    maxFrameBytes: env.LEADLINE_MAX_FRAME_BYTES,
    maxContextBytes: env.LEADLINE_MAX_CONTEXT_MIB * 2 ** 20,
    maxPixels: env.LEADLINE_MAX_PIXELS,
    maxClipBytes: env.LEADLINE_MAX_CLIP_BYTES,
    maxWaitingClips: env.LEADLINE_MAX_WAITING_CLIPS,
    maxUploads: env.LEADLINE_MAX_UPLOADS,
    maxConnections: env.LEADLINE_MAX_CONNECTIONS,
    maxConnectionsPerAddress: env.LEADLINE_MAX_CONNECTIONS_PER_ADDRESS,
    maxUnprovenPerAddress: env.LEADLINE_MAX_UNPROVEN_PER_ADDRESS,
    maxUnreadBytes: env.LEADLINE_MAX_UNREAD_MIB * 2 ** 20,
    maxLoopDelayMs: env.LEADLINE_MAX_LOOP_DELAY_MS,
    uploadTimeoutMs: env.LEADLINE_UPLOAD_TIMEOUT_MS,
    requestTimeoutMs: env.LEADLINE_REQUEST_TIMEOUT_MS,
    maxClipFrames: env.LEADLINE_MAX_CLIP_FRAMES,
    maxClipDiskBytes: env.LEADLINE_MAX_CLIP_DISK_MIB * 2 ** 20,
    minFreeBytes: env.LEADLINE_MIN_FREE_MIB * 2 ** 20,
    bucket: env.LEADLINE_BUCKET_URL === '' ? null : bucketOf(env),
    clipUrlNetworks: Object.freeze(env.LEADLINE_CLIP_URL_NETWORKS.split(',').filter(Boolean)),
    webhookNetworks: Object.freeze(env.LEADLINE_WEBHOOK_NETWORKS.split(',').filter(Boolean)),
    clipMaxAgeMs: env.LEADLINE_CLIP_MAX_AGE_HOURS * 3_600_000 || null,
    clipMaxBytes: env.LEADLINE_CLIPS_MAX_MIB * 2 ** 20 || null,
    uploadMaxAgeMs: env.LEADLINE_UPLOAD_MAX_AGE_HOURS * 3_600_000,
    configTimeoutMs: env.LEADLINE_CONFIG_TIMEOUT_MS,
    keepAliveMs: env.LEADLINE_KEEP_ALIVE_MS,
    idleTimeoutMs: env.LEADLINE_IDLE_TIMEOUT_MS,
    // Without Redis there is no other gateway to go to.
    lameDuckMs: env.REDIS_URL ? env.LEADLINE_LAME_DUCK_MS : 0,
    graceMs: env.LEADLINE_GRACE_MS,
    parkAfterMs: env.LEADLINE_PARK_AFTER_MS,
    balanceAbove: env.LEADLINE_REBALANCE_PERCENT / 100
  })
}

/** With the password of the file, if one is named. */
function redisUrlOf(env: Environment): string {
  const url = env.REDIS_URL
  if (env.REDIS_PASSWORD_FILE === '') return url
  const [, scheme = '', user = '', rest = ''] = /^([^:]+:\/\/)(?:([^@/?]*)@)?(.*)$/.exec(url) ?? []
  if (user.includes(':'))
    throw new Error('REDIS_URL has a password, and REDIS_PASSWORD_FILE names another; leave one of them out')
  return `${scheme}${user}:${encodeURIComponent(readSecret(env, 'REDIS_PASSWORD_FILE'))}@${rest}`
}

/** What the file that a variable names holds. The end of its line is no part of it. */
function readSecret(
  env: Environment,
  variable: 'REDIS_PASSWORD_FILE' | 'LEADLINE_BUCKET_SECRET_KEY_FILE'
): string {
  const file = env[variable]
  let secret: string
  try {
    secret = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw new Error(`${variable} is "${file}", which cannot be read (${reason})`, { cause })
  }
  if (secret === '') throw new Error(`${variable} is "${file}", which is empty`)
  return secret
}

/** Of `MODE` or `MODE:CACHESIZE`. */
function modeOf(text: string): { mode: Mode; cacheSize: number | null } {
  const [mode, cacheSize] = text.split(':')
  return { mode: mode as Mode, cacheSize: cacheSize === undefined ? null : Number(cacheSize) }
}

function bucketOf(env: Environment): NonNullable<Config['bucket']> {
  return Object.freeze({
    ...{ url: env.LEADLINE_BUCKET_URL, region: env.LEADLINE_BUCKET_REGION },
    ...{ accessKey: env.LEADLINE_BUCKET_ACCESS_KEY, secretKey: bucketSecretOf(env) }
  })
}

function bucketSecretOf(env: Environment): string {
  if (env.LEADLINE_BUCKET_SECRET_KEY_FILE === '') return env.LEADLINE_BUCKET_SECRET_KEY
  if (env.LEADLINE_BUCKET_SECRET_KEY === '') return readSecret(env, 'LEADLINE_BUCKET_SECRET_KEY_FILE')
  throw new Error(
    'LEADLINE_BUCKET_SECRET_KEY is a secret, and LEADLINE_BUCKET_SECRET_KEY_FILE names another; leave one of them out'
  )
}

const bundledModelsDir = fileURLToPath(new URL('../models', import.meta.url))

function userModelsDir(environment: NodeJS.ProcessEnv): string | null {
  const folder = userFolder(environment.XDG_DATA_HOME, '.local/share')
  return folder === null ? null : path.join(folder, 'leadline', 'models')
}
