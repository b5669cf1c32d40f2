/**
 * The registry of failures: one line each. `status` is the HTTP status, `close` the WebSocket close code; `close: null`
 * marks a failure of a single frame, after which the session goes on. Close codes below 4500 invite the client to come
 * back, those from 4500 on do not. A retired code is never used again.
 */
const registry = {
  CONFIG_INVALID: { status: 400, close: 4522, temporary: false, title: 'The configuration is not valid' },
  MESSAGE_MALFORMED: {
    status: 400,
    close: 4590,
    temporary: false,
    title: 'The control message is not valid'
  },
  CONFIG_EXPECTED: {
    status: 400,
    close: 4590,
    temporary: false,
    title: 'The first message must be "config"'
  },
  CONFIG_REPEATED: { status: 400, close: 4590, temporary: false, title: '"config" may be sent once' },
  CONFIG_TIMEOUT: { status: 408, close: 4408, temporary: true, title: 'No "config" came in time' },
  FRAME_MALFORMED: {
    status: 400,
    close: 4590,
    temporary: false,
    title: 'The binary message is not a Leadline frame'
  },
  FRAME_OUT_OF_ORDER: { status: 400, close: 4590, temporary: false, title: 'seq must rise with every frame' },
  FLOW_CONTROL: { status: 429, close: 4429, temporary: true, title: 'More frames in flight than granted' },
  FRAME_EMPTY: { status: 400, close: null, temporary: false, title: 'The frame has no payload' },
  FRAME_TOO_LARGE: { status: 413, close: null, temporary: false, title: 'The frame is larger than allowed' },
  FRAME_UNSUPPORTED: {
    status: 415,
    close: null,
    temporary: false,
    title: 'The codec of the frame is not supported'
  },
  FRAME_DECODE_FAILED: {
    status: 422,
    close: null,
    temporary: false,
    title: 'The image could not be decoded'
  },
  MODEL_UNKNOWN: { status: 404, close: 4522, temporary: false, title: 'There is no such model' },
  MODEL_MODE_UNSUPPORTED: {
    status: 422,
    close: 4522,
    temporary: false,
    title: 'The model cannot run this way'
  },
  MODEL_LICENSE: {
    status: 403,
    close: 4503,
    temporary: false,
    title: 'The licence of the model needs your consent'
  },
  MODEL_FILE_INVALID: { status: 422, close: 4522, temporary: false, title: 'The model file is not valid' },
  NO_WORKER: { status: 503, close: 4453, temporary: true, title: 'No worker serves this model' },
  NO_CAPACITY: { status: 503, close: 4453, temporary: true, title: 'Every worker is full' },
  WORKER_LOST: {
    status: 503,
    close: 4440,
    temporary: true,
    title: 'The worker that held the session is gone'
  },
  EXECUTOR_FAILED: { status: 503, close: 4440, temporary: true, title: 'The executor failed' },
  MEMORY_EXHAUSTED: { status: 503, close: 4453, temporary: true, title: 'The device is out of memory' },
  STORE_UNAVAILABLE: { status: 503, close: 4452, temporary: true, title: 'Redis cannot be reached' },
  DRAINING: { status: 503, close: 4441, temporary: true, title: 'The server is shutting down' },
  SESSION_IDLE: { status: 408, close: 4410, temporary: true, title: 'The session was idle for too long' },
  SESSION_UNKNOWN: { status: 404, close: 4590, temporary: false, title: 'There is no such session' },
  SLOW_CONSUMER: { status: 429, close: 4413, temporary: true, title: 'Results are not read fast enough' },
  IMAGE_INVALID: {
    status: 415,
    close: 4515,
    temporary: false,
    title: 'The body is not an image that can be decoded'
  },
  CLIP_INVALID: {
    status: 415,
    close: 4515,
    temporary: false,
    title: 'The file is not a video that can be decoded'
  },
  CLIP_TOO_LARGE: { status: 413, close: 4517, temporary: false, title: 'The clip is larger than allowed' },
  CLIP_UNKNOWN: { status: 404, close: 4590, temporary: false, title: 'There is no such clip' },
  CLIP_NOT_READY: { status: 409, close: 4590, temporary: true, title: 'The clip has no result yet' },
  CLIPS_BUSY: { status: 503, close: 4453, temporary: true, title: 'Too many clips are waiting' },
  TOOL_MISSING: {
    status: 501,
    close: 1011,
    temporary: false,
    title: 'A program that this needs is not installed'
  },
  DATA_INVALID: {
    status: 422,
    close: 4522,
    temporary: false,
    title: 'The data folder is not laid out as expected'
  },
  DOWNLOAD_FAILED: {
    status: 502,
    close: 1011,
    temporary: false,
    title: 'The file could not be downloaded'
  },
  CONNECTION_LOST: {
    status: 503,
    close: 1006,
    temporary: true,
    title: 'The server cannot be reached, or the connection to it broke'
  },
  REQUEST_INVALID: { status: 400, close: 4590, temporary: false, title: 'The request is not valid' },
  ROUTE_UNKNOWN: { status: 404, close: 4590, temporary: false, title: 'There is no such path' },
  INTERNAL: { status: 500, close: 1011, temporary: true, title: 'Something failed inside the server' }
} as const satisfies Record<string, ErrorDefinition>

export interface ErrorDefinition {
  status: number
  close: number | null
  temporary: boolean
  title: string
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
  /** How long to wait before trying again, in milliseconds; only for temporary failures. */
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
}

/** The failure as it is; anything unnamed becomes INTERNAL, whose cause is for the log and never for the client. */
export function asLeadlineError(error: unknown): LeadlineError {
  if (error instanceof LeadlineError) return error
  return new LeadlineError('INTERNAL', 'An unexpected failure; the log of the server has the cause', {
    cause: error
  })
}
