/**
 * The registry of failures: one line each. `status` is the HTTP status, `close` the WebSocket close code; `close: null`
 * marks a failure of a single frame, after which the session goes on. Close codes below 4500 invite the client to come
 * back, those from 4500 on do not. `retryMs` is how long to wait on average before the same is tried again; null: it would
 * fail again. What is `outlived` ends a stream and not its session, if that can be resumed. A retired code is
 * never used again.
 */
const registry = {
  CONFIG_INVALID: { status: 400, close: 4522, retryMs: null, title: 'The configuration is not valid' },
  MESSAGE_MALFORMED: { status: 400, close: 4590, retryMs: null, title: 'The control message is not valid' },
  CONFIG_EXPECTED: { status: 400, close: 4590, retryMs: null, title: 'The first message must be "config"' },
  CONFIG_REPEATED: { status: 400, close: 4590, retryMs: null, title: '"config" may be sent once' },
  CONFIG_TIMEOUT: { status: 408, close: 4408, retryMs: 1000, title: 'No "config" came in time' },
  FRAME_MALFORMED: {
    status: 400,
    close: 4590,
    retryMs: null,
    title: 'The binary message is not a Leadline frame'
  },
  FRAME_OUT_OF_ORDER: { status: 400, close: 4590, retryMs: null, title: 'seq must rise with every frame' },
  FLOW_CONTROL: { status: 429, close: 4429, retryMs: 1000, title: 'More frames in flight than granted' },
  FRAME_EMPTY: { status: 400, close: null, retryMs: null, title: 'The frame has no payload' },
  FRAME_TOO_LARGE: { status: 413, close: null, retryMs: null, title: 'The frame is larger than allowed' },
  FRAME_UNSUPPORTED: {
    status: 415,
    close: null,
    retryMs: null,
    title: 'The codec of the frame is not supported'
  },
  FRAME_DECODE_FAILED: { status: 422, close: null, retryMs: null, title: 'The image could not be decoded' },
  MODEL_UNKNOWN: { status: 404, close: 4522, retryMs: null, title: 'There is no such model' },
  MODEL_MODE_UNSUPPORTED: { status: 422, close: 4522, retryMs: null, title: 'The model cannot run this way' },
  CONTEXT_INVALID: {
    status: 422,
    close: 4522,
    retryMs: null,
    title: 'No session can go on from this context'
  },
  CONTEXT_TOO_LARGE: {
    status: 413,
    close: 4522,
    retryMs: null,
    title: 'The context of the session is larger than allowed'
  },
  MODEL_LICENSE: {
    status: 403,
    close: 4503,
    retryMs: null,
    title: 'The licence of the model needs your consent'
  },
  MODEL_FILE_INVALID: {
    status: 422,
    close: 4522,
    retryMs: null,
    title: 'The model file is not valid'
  },
  NO_WORKER: { status: 503, close: 4453, retryMs: 2000, title: 'No worker serves this model' },
  NO_CAPACITY: { status: 503, close: 4453, retryMs: 2000, title: 'Every worker is full' },
  WORKER_LOST: { status: 503, close: 4440, retryMs: 1000, title: 'The worker that held the session is gone' },
  EXECUTOR_FAILED: {
    status: 503,
    close: 4440,
    retryMs: 1000,
    title: 'The executor failed'
  },
  MEMORY_EXHAUSTED: {
    status: 503,
    close: 4453,
    retryMs: 5000,
    title: 'The device is out of memory'
  },
  OVERLOADED: { status: 503, close: 4453, retryMs: 3000, title: 'The server has too much to do' },
  STORE_UNAVAILABLE: {
    status: 503,
    close: 4452,
    retryMs: 2000,
    title: 'Redis cannot be reached'
  },
  DRAINING: { status: 503, close: 4441, retryMs: 1000, title: 'The server is shutting down', outlived: true },
  SESSION_IDLE: { status: 408, close: 4410, retryMs: 1000, title: 'The session was idle for too long' },
  WORKER_UNKNOWN: { status: 404, close: 4590, retryMs: null, title: 'There is no such worker' },
  SESSION_UNKNOWN: { status: 404, close: 4590, retryMs: null, title: 'There is no such session' },
  SESSION_REPLACED: {
    status: 409,
    close: 4509,
    retryMs: null,
    title: 'A newer connection took the session',
    outlived: true
  },
  SESSION_ENDED: { status: 410, close: 4510, retryMs: null, title: 'The session was ended from outside' },
  SLOW_CONSUMER: {
    status: 429,
    close: 4413,
    retryMs: 1000,
    title: 'Results are not read fast enough',
    outlived: true
  },
  IMAGE_INVALID: {
    status: 415,
    close: 4515,
    retryMs: null,
    title: 'The body is not an image of a kind that can be decoded'
  },
  CLIP_INVALID: {
    status: 415,
    close: 4515,
    retryMs: null,
    title: 'The file is not a video that can be decoded'
  },
  CLIP_TOO_LARGE: { status: 413, close: 4517, retryMs: null, title: 'The clip is larger than allowed' },
  CLIP_UNKNOWN: { status: 404, close: 4590, retryMs: null, title: 'There is no such clip' },
  WEBHOOK_UNKNOWN: { status: 404, close: 4590, retryMs: null, title: 'No such webhook was given up' },
  CLIP_NOT_READY: { status: 409, close: 4590, retryMs: 1000, title: 'The clip has no result yet' },
  CLIP_FAILED: { status: 409, close: 4590, retryMs: null, title: 'The clip has failed and has no results' },
  CLIPS_BUSY: { status: 503, close: 4453, retryMs: 30_000, title: 'Too many clips are waiting' },
  IDEMPOTENCY_PENDING: { status: 409, close: 4590, retryMs: 1000, title: 'The same request is on its way' },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    close: 4590,
    retryMs: null,
    title: 'The Idempotency-Key belongs to another request'
  },
  UPLOAD_UNKNOWN: { status: 404, close: 4590, retryMs: null, title: 'There is no such upload' },
  UPLOAD_OFFSET: { status: 409, close: 4590, retryMs: null, title: 'The upload goes on elsewhere' },
  UPLOAD_TAKEN: { status: 423, close: 4590, retryMs: 1000, title: 'Another request is at the upload' },
  TUS_VERSION: {
    status: 412,
    close: 4590,
    retryMs: null,
    title: 'The request speaks another version of tus, or none'
  },
  CONTENT_TYPE_UNKNOWN: {
    status: 415,
    close: 4590,
    retryMs: null,
    title: 'The body is of a type that the path does not take'
  },
  STORAGE_FULL: { status: 507, close: 4453, retryMs: 30_000, title: 'There is no room left on the disk' },
  STORAGE_UNUSABLE: { status: 503, close: 4453, retryMs: 30_000, title: 'The folder cannot be used' },
  TOOL_MISSING: {
    status: 501,
    close: 1011,
    retryMs: null,
    title: 'A program that this needs is not installed'
  },
  DATA_INVALID: {
    status: 422,
    close: 4522,
    retryMs: null,
    title: 'The data folder is not laid out as expected'
  },
  URL_FORBIDDEN: { status: 422, close: 4590, retryMs: null, title: 'The address may not be fetched from' },
  DOWNLOAD_FAILED: { status: 422, close: 1011, retryMs: null, title: 'The file could not be downloaded' },
  CONNECTION_LOST: {
    status: 503,
    close: 1006,
    retryMs: 1000,
    title: 'The server cannot be reached, or the connection to it broke',
    outlived: true
  },
  ANSWER_UNEXPECTED: {
    status: 502,
    close: 1011,
    retryMs: null,
    title: 'Something else answered in place of the server'
  },
  UNAUTHENTICATED: { status: 401, close: 4501, retryMs: null, title: 'A valid key is wanted' },
  FORBIDDEN: { status: 403, close: 4503, retryMs: null, title: 'The key does not allow this' },
  LIMIT_REACHED: { status: 429, close: 4430, retryMs: 1000, title: 'A limit is reached' },
  ORIGIN_FORBIDDEN: {
    status: 403,
    close: 4503,
    retryMs: null,
    title: 'Pages of this site may not use the server'
  },
  HOST_FORBIDDEN: { status: 403, close: 4503, retryMs: null, title: 'The server does not go by this name' },
  REQUEST_INVALID: { status: 400, close: 4590, retryMs: null, title: 'The request is not valid' },
  REQUEST_TIMEOUT: { status: 408, close: 4408, retryMs: 1000, title: 'The request did not come in time' },
  METHOD_UNKNOWN: { status: 405, close: 4590, retryMs: null, title: 'The path has no such method' },
  UPGRADE_REQUIRED: { status: 426, close: 4590, retryMs: null, title: 'The path is that of a WebSocket' },
  PRECONDITION_FAILED: {
    status: 412,
    close: 4590,
    retryMs: null,
    title: 'The file is not as the request wants it'
  },
  RANGE_UNSATISFIABLE: { status: 416, close: 4590, retryMs: null, title: 'The range lies outside the file' },
  HEADERS_TOO_LARGE: {
    status: 431,
    close: 4590,
    retryMs: null,
    title: 'The headers of the request are too long'
  },
  ROUTE_UNKNOWN: { status: 404, close: 4590, retryMs: null, title: 'There is no such path' },
  INTERNAL: { status: 500, close: 1011, retryMs: 5000, title: 'Something failed inside the server' }
} as const satisfies Record<string, ErrorDefinition>

export interface ErrorDefinition {
  status: number
  close: number | null
  retryMs: number | null
  title: string
  outlived?: true
}

export type ErrorCode = keyof typeof registry

export const errorCodes = Object.keys(registry) as ErrorCode[]

export function errorDefinition(code: ErrorCode): ErrorDefinition {
  return registry[code]
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(registry, code)
}

/** A failure with a name. `message` says which value was refused and what to do about it. */
export class LeadlineError extends Error {
  readonly code: ErrorCode
  /** How long to wait before trying again, in milliseconds, where it is known better than in the registry. */
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, detail: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LeadlineError'
    this.code = code
    this.retryAfterMs = options.retryAfterMs
  }

  get definition(): ErrorDefinition {
    return registry[this.code]
  }

  /** Whether a session that can be resumed goes on after it. */
  get isOutlived(): boolean {
    return this.definition.outlived === true
  }

  /** Whether the same may succeed later. */
  get isTemporary(): boolean {
    return this.definition.retryMs !== null
  }
}

/** The failure as it is; anything unnamed becomes INTERNAL, whose cause is for the log and never for the client. */
export function asLeadlineError(error: unknown): LeadlineError {
  if (error instanceof LeadlineError) return error
  return new LeadlineError('INTERNAL', 'An unexpected failure; the log of the server has the cause', {
    cause: error
  })
}
