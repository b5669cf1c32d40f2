import type { Static } from 'typebox'
import Type from 'typebox'
import { traceVariables } from './tracing/trace-variables.ts'

/** Pattern of any number of items with commas between them. */
function listOf(item: string): string {
  return `(${item}(,${item})*)?`
}

/** Every variable Leadline reads. The schema is the type, the default and the documentation (.env.example). */
/** A whole number, and what it is unless told otherwise. */
const atLeast = (minimum: number, usual: number, description: string) =>
  Type.Integer({ default: usual, minimum, description })

export const environmentSchema = Type.Object({
  LEADLINE_HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on' }),
  LEADLINE_PORT: Type.Integer({
    default: 8042,
    minimum: 0,
    maximum: 65535,
    description: 'Port to listen on; 0 picks one'
  }),
  LEADLINE_ALLOWED_HOSTS: Type.String({
    default: '',
    pattern: `^${listOf('[^\\s,/:]+')}$`,
    description:
      'Names under which the server may be called beside localhost and addresses, such as depth.example.com; empty: none if it listens on loopback alone, else any; *: any'
  }),
  LEADLINE_ALLOWED_ORIGINS: Type.String({
    default: '',
    pattern: `^${listOf('(\\*|null|[a-z][a-z0-9+.-]*://[^\\s,/]+)')}$`,
    description:
      'Sites whose pages may use the server, beside its own and localhost, such as https://example.com,https://example.org; *: all'
  }),
  LEADLINE_AUTH: Type.Enum(['auto', 'keys', 'off'], {
    default: 'auto',
    description:
      'Who is let in: keys: whoever has a key; off: everybody; auto: everybody on loopback alone, until there is a key, else keys'
  }),
  LEADLINE_TRUST_PROXY: Type.String({
    default: '',
    description:
      'Addresses or networks of proxies whose X-Forwarded-For says who asks, such as 127.0.0.1,10.0.0.0/8; empty: none'
  }),
  LEADLINE_REFUSALS_PER_MINUTE: atLeast(
    1,
    60,
    'Requests without a valid key that an address may send before it is told to wait'
  ),
  LEADLINE_KEY: Type.String({
    default: '',
    description: 'Key that commands show to a server; empty: none. Better in a file: --key-file'
  }),
  LEADLINE_METRICS_PORT: Type.Integer({
    default: -1,
    minimum: -1,
    maximum: 65535,
    description: 'Port of a worker’s /metrics; 0 picks one, -1: none. A server has it on its own port'
  }),
  LEADLINE_METRICS_PER_KEY: Type.Boolean({
    default: false,
    description: 'Whether figures of usage are told for each key, by its id'
  }),
  ...traceVariables,
  LEADLINE_LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
    default: 'info',
    description: 'trace, debug, info, warn, error or silent'
  }),
  REDIS_URL: Type.String({
    default: '',
    description:
      'redis://…, redis+sentinel://HOST,HOST/MASTER or redis+cluster://HOST,HOST (docs/redis.md); empty: embedded mode, everything in one process tree'
  }),
  REDIS_PASSWORD_FILE: Type.String({
    default: '',
    description:
      'File with the password of REDIS_URL, such as a secret of a container; empty: it is in the URL, or there is none'
  }),
  LEADLINE_KEY_PREFIX: Type.String({ default: 'leadline', description: 'First part of every Redis key' }),
  LEADLINE_WORKER_ID: Type.String({
    default: '',
    description: 'Name of this worker; empty: made up at start'
  }),
  LEADLINE_MODEL: Type.String({ default: 'leadline-nano', description: 'Model of sessions that name none' }),
  LEADLINE_MODELS_DIR: Type.String({
    default: '',
    description: 'Folder of added models; empty: ~/.local/share/leadline/models'
  }),
  LEADLINE_ALLOW_NONCOMMERCIAL: Type.Boolean({
    default: false,
    description: 'Serve models whose licence forbids commercial use'
  }),
  LEADLINE_EXECUTOR: Type.Enum(['auto', 'ort-node', 'ort-capi', 'fake'], {
    default: 'auto',
    description: 'auto: ort-node on the CPU and WebGPU, ort-capi on CUDA; fake: no network, for tests'
  }),
  LEADLINE_DEVICE: Type.Enum(['cpu', 'cuda', 'tensorrt', 'webgpu'], {
    default: 'cpu',
    description: 'Where networks run: cpu, cuda, tensorrt or webgpu; “leadline doctor” says what is there'
  }),
  LEADLINE_DEVICE_ID: Type.Integer({ default: 0, minimum: 0, description: 'Which of several GPUs' }),
  LEADLINE_ORT_LIBRARY: Type.String({
    default: '',
    description: 'libonnxruntime for ort-capi, such as a JetPack build; empty: the one that is installed'
  }),
  LEADLINE_WORKSPACE_MIB: atLeast(
    0,
    0,
    'Memory of ort-capi for weights and workspace, in MiB, beside the caches; 0: no limit'
  ),
  LEADLINE_ENGINE_DIR: Type.String({
    default: '',
    description: 'Folder where TensorRT keeps its engines; empty: they are built at every start'
  }),
  LEADLINE_MAX_BATCH: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 16,
    description: 'Sessions that may share a step; 0: 8 on a GPU, 1 on the CPU, where sharing gains nothing'
  }),
  LEADLINE_THREADS: atLeast(0, 0, 'Executor threads; 0: all cores but one, at least one'),
  LEADLINE_PRECISION: Type.Enum(['model', 'fp32', 'int8', 'fp16'], {
    default: 'model',
    description:
      'fp32; int8, faster, on the CPU alone; fp16, smaller and faster on a GPU; model: as its manifest says, where int8 is fast'
  }),
  LEADLINE_WARMUP: Type.String({
    default: '',
    pattern: '^([1-9]\\d*x[1-9]\\d*(,[1-9]\\d*x[1-9]\\d*)*)?$',
    description: 'Frame sizes to load every model for at start, such as 1920x1080,640x480; empty: none'
  }),
  LEADLINE_WARMUP_MODES: Type.String({
    default: '',
    pattern: `^${listOf('(ovda(:[1-9]\\d*)?|vda-stream|vda-window|single)')}$`,
    description:
      'Modes to load them for, where a model has them, such as ovda,ovda:8,single,vda-window, a window after the colon; empty: ovda, or its first'
  }),
  LEADLINE_MEMORY_MIB: atLeast(1, 2048, 'Device memory for latent caches, in MiB'),
  LEADLINE_REPLAY_MIB: atLeast(
    0,
    512,
    'Host memory of a worker for the last frames of its sessions, which make a latent cache anew whose executor died, in MiB'
  ),
  LEADLINE_RING_MIB: atLeast(
    0,
    512,
    'Memory of a server for the last frames of its sessions as they came, with which another worker goes on when theirs is lost, in MiB; 0: none. Not used without REDIS_URL'
  ),
  LEADLINE_PARKED_MIB: atLeast(
    0,
    1024,
    'Host memory for the latent caches of parked sessions, which then go on exactly, in MiB'
  ),
  LEADLINE_DATA_DIR: Type.String({
    default: '',
    description:
      'Folder for clips, of one server at a time, or with Redis of all gateways that share it; empty: one in ~/.local/state/leadline, or a temporary one for port 0'
  }),
  LEADLINE_MAX_FRAME_BYTES: atLeast(1024, 16_777_216, 'Largest binary message'),
  LEADLINE_MAX_CONTEXT_MIB: Type.Integer({
    default: 64,
    minimum: 1,
    maximum: 256,
    description: 'Largest context that a session is saved as or goes on from, in MiB; four may come at once'
  }),
  LEADLINE_MAX_PIXELS: atLeast(4096, 33_177_600, 'Largest frame, width times height'),
  LEADLINE_MAX_CLIP_BYTES: atLeast(1024, 2_147_483_648, 'Largest clip upload'),
  LEADLINE_MAX_WAITING_CLIPS: atLeast(
    1,
    8,
    'Clips that may wait while one runs; each holds its source on disk'
  ),
  LEADLINE_MAX_UPLOADS: atLeast(1, 16, 'Clips that may be on their way to the server at once'),
  LEADLINE_MAX_CONNECTIONS: atLeast(1, 1024, 'Connections at once; one more is closed unanswered'),
  LEADLINE_MAX_CONNECTIONS_PER_ADDRESS: atLeast(
    0,
    256,
    'Those of one address, or of one client of a proxy that LEADLINE_TRUST_PROXY names; 0: no limit'
  ),
  LEADLINE_MAX_UNPROVEN_PER_ADDRESS: atLeast(
    0,
    64,
    'Those of them that have shown no key yet where one is wanted, or not said what they want; 0: no limit'
  ),
  LEADLINE_MAX_UNREAD_MIB: atLeast(
    0,
    256,
    'Depth maps that wait for the clients of one key, or of one address, to read them, in MiB; 0: no limit'
  ),
  LEADLINE_MAX_LOOP_DELAY_MS: atLeast(
    0,
    1000,
    'By how much a server may be late on the mean before it refuses what is new; 0: it never does'
  ),
  LEADLINE_UPLOAD_TIMEOUT_MS: atLeast(
    100,
    60_000,
    'Time for an image or a context to come whole, and for a clip to bring something more'
  ),
  LEADLINE_REQUEST_TIMEOUT_MS: atLeast(
    60_000,
    3_600_000,
    'Time for any request to come whole, the upload of a clip too'
  ),
  LEADLINE_MAX_CLIP_FRAMES: atLeast(1, 18_000, 'Most frames of a clip; 18000 are ten minutes at 30 a second'),
  LEADLINE_MAX_CLIP_DISK_MIB: atLeast(
    1,
    8192,
    'Most disk that a clip may take while it runs: its video, its depth, its results, in MiB'
  ),
  LEADLINE_MIN_FREE_MIB: atLeast(0, 256, 'Disk that clips leave free, in MiB; 0: none'),
  LEADLINE_BUCKET_URL: Type.String({
    default: '',
    pattern: '^(https?://[^/]+/[^?#]+)?$',
    description:
      'Bucket for clips, with Redis, in place of a shared folder: https://HOST/BUCKET or https://HOST/BUCKET/PREFIX; empty: the folder'
  }),
  LEADLINE_BUCKET_REGION: Type.String({ default: 'us-east-1', description: 'Region of the bucket' }),
  LEADLINE_BUCKET_ACCESS_KEY: Type.String({ default: '', description: 'Key of the bucket' }),
  LEADLINE_BUCKET_SECRET_KEY: Type.String({
    default: '',
    description: 'Its secret. Better in a file: LEADLINE_BUCKET_SECRET_KEY_FILE'
  }),
  LEADLINE_BUCKET_SECRET_KEY_FILE: Type.String({
    default: '',
    description:
      'File with the secret, such as a secret of a container; empty: it is in LEADLINE_BUCKET_SECRET_KEY'
  }),
  LEADLINE_CLIP_URL_NETWORKS: Type.String({
    default: '',
    pattern: `^${listOf('[0-9A-Fa-f.:]+(/[0-9]+)?')}$`,
    description:
      'Addresses that are not public from which clips may be fetched all the same, such as 10.1.0.0/16,192.168.0.7; empty: none'
  }),
  LEADLINE_WEBHOOK_NETWORKS: Type.String({
    default: '',
    pattern: `^${listOf('[0-9A-Fa-f.:]+(/[0-9]+)?')}$`,
    description:
      'Addresses that are not public to which webhooks may be sent all the same, such as 10.1.0.0/16,192.168.0.7; empty: none'
  }),
  LEADLINE_CLIP_MAX_AGE_HOURS: Type.Number({
    default: 0,
    minimum: 0,
    description: 'How long a clip is kept once it has ended; 0: until it is deleted'
  }),
  LEADLINE_CLIPS_MAX_MIB: atLeast(
    0,
    0,
    'Results that are kept of all clips, in MiB; of more, the oldest go; 0: no limit'
  ),
  LEADLINE_UPLOAD_MAX_AGE_HOURS: Type.Number({
    default: 24,
    exclusiveMinimum: 0,
    description: 'How long an upload that can be resumed is kept, since something of it came last'
  }),
  LEADLINE_CONFIG_TIMEOUT_MS: atLeast(100, 10_000, 'Time for a client to send config'),
  LEADLINE_KEEP_ALIVE_MS: atLeast(
    100,
    20_000,
    'Between the pings that keep a silent socket open; a proxy on the way must wait longer'
  ),
  LEADLINE_IDLE_TIMEOUT_MS: atLeast(1000, 60_000, 'Session without any message'),
  LEADLINE_LAME_DUCK_MS: Type.Integer({
    default: 5000,
    minimum: 0,
    maximum: 15_000,
    description: 'With Redis: between not being ready any more and not listening; balancers must look by then'
  }),
  LEADLINE_GRACE_MS: Type.Integer({
    default: 60_000,
    minimum: 0,
    maximum: 600_000,
    description: 'How long a resumable session is kept without a client; 0: no session can be resumed'
  }),
  LEADLINE_PARK_AFTER_MS: atLeast(
    0,
    30_000,
    'How long a session without frames keeps its device memory; one without a client keeps it 5 s at most. 0: as long as no other session needs it'
  ),
  LEADLINE_REBALANCE_PERCENT: Type.Integer({
    default: 100,
    minimum: 5,
    maximum: 100,
    description:
      'How much fuller than another worker one may be before it gives that one sessions, in percent of its device memory; 100: never by itself'
  })
})

export type Environment = Static<typeof environmentSchema>
