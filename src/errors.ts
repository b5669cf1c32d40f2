/**
 * The registry of failures: one line each. `status` is the HTTP status, `close` the WebSocket close code; `close: null`
 * marks a failure of a single frame, after which the session goes on. Close codes below 4500 invite the client to come
 * back, those from 4500 on do not. `retryMs` is how long to wait on average before the same is tried again; null: it would
 * fail again. What is `outlived` ends a stream and not its session, if that can be resumed. A retired code is
 * never used again.
 */
const registry = {
  CONFIG_INVALID: { status: 400, close: 4522, retryMs: null },
  MESSAGE_MALFORMED: { status: 400, close: 4590, retryMs: null },
  CONFIG_EXPECTED: { status: 400, close: 4590, retryMs: null },
  CONFIG_REPEATED: { status: 400, close: 4590, retryMs: null },
  CONFIG_TIMEOUT: { status: 408, close: 4408, retryMs: 1000 },
  FRAME_MALFORMED: {
    status: 400,
    close: 4590,
    retryMs: null
  },
  FRAME_OUT_OF_ORDER: { status: 400, close: 4590, retryMs: null },
  FLOW_CONTROL: { status: 429, close: 4429, retryMs: 1000 },
  FRAME_EMPTY: { status: 400, close: null, retryMs: null },
  FRAME_TOO_LARGE: { status: 413, close: null, retryMs: null },
  FRAME_UNSUPPORTED: {
    status: 415,
    close: null,
    retryMs: null
  },
  FRAME_DECODE_FAILED: { status: 422, close: null, retryMs: null },
  MODEL_UNKNOWN: { status: 404, close: 4522, retryMs: null },
  MODEL_MODE_UNSUPPORTED: { status: 422, close: 4522, retryMs: null },
  CONTEXT_INVALID: {
    status: 422,
    close: 4522,
    retryMs: null
  },
  CONTEXT_TOO_LARGE: {
    status: 413,
    close: 4522,
    retryMs: null
  },
  MODEL_LICENSE: {
    status: 403,
    close: 4503,
    retryMs: null
  },
  MODEL_FILE_INVALID: {
    status: 422,
    close: 4522,
    retryMs: null
  },
  NO_WORKER: { status: 503, close: 4453, retryMs: 2000 },
  NO_CAPACITY: { status: 503, close: 4453, retryMs: 2000 },
  WORKER_LOST: { status: 503, close: 4440, retryMs: 1000 },
  EXECUTOR_FAILED: {
    status: 503,
    close: 4440,
    retryMs: 1000
  },
  MEMORY_EXHAUSTED: {
    status: 503,
    close: 4453,
    retryMs: 5000
  },
  OVERLOADED: { status: 503, close: 4453, retryMs: 3000 },
  STORE_UNAVAILABLE: {
    status: 503,
    close: 4452,
    retryMs: 2000
  },
  DRAINING: { status: 503, close: 4441, retryMs: 1000, outlived: true },
  SESSION_IDLE: { status: 408, close: 4410, retryMs: 1000 },
  WORKER_UNKNOWN: { status: 404, close: 4590, retryMs: null },
  SESSION_UNKNOWN: { status: 404, close: 4590, retryMs: null },
  SESSION_REPLACED: {
    status: 409,
    close: 4509,
    retryMs: null,
    outlived: true
  },
  SESSION_ENDED: { status: 410, close: 4510, retryMs: null },
  SLOW_CONSUMER: {
    status: 429,
    close: 4413,
    retryMs: 1000,
    outlived: true
  },
  IMAGE_INVALID: {
    status: 415,
    close: 4515,
    retryMs: null
  },
  CLIP_INVALID: {
    status: 415,
    close: 4515,
    retryMs: null
  },
  CLIP_TOO_LARGE: { status: 413, close: 4517, retryMs: null },
  CLIP_UNKNOWN: { status: 404, close: 4590, retryMs: null },
  WEBHOOK_UNKNOWN: { status: 404, close: 4590, retryMs: null },
  CLIP_NOT_READY: { status: 409, close: 4590, retryMs: 1000 },
  CLIP_FAILED: { status: 409, close: 4590, retryMs: null },
  CLIPS_BUSY: { status: 503, close: 4453, retryMs: 30_000 },
  IDEMPOTENCY_PENDING: { status: 409, close: 4590, retryMs: 1000 },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    close: 4590,
    retryMs: null
  },
  UPLOAD_UNKNOWN: { status: 404, close: 4590, retryMs: null },
  UPLOAD_OFFSET: { status: 409, close: 4590, retryMs: null },
  UPLOAD_TAKEN: { status: 423, close: 4590, retryMs: 1000 },
  TUS_VERSION: {
    status: 412,
    close: 4590,
    retryMs: null
  },
  CONTENT_TYPE_UNKNOWN: {
    status: 415,
    close: 4590,
    retryMs: null
  },
  STORAGE_FULL: { status: 507, close: 4453, retryMs: 30_000 },
  STORAGE_UNUSABLE: { status: 503, close: 4453, retryMs: 30_000 },
  TOOL_MISSING: {
    status: 501,
    close: 1011,
    retryMs: null
  },
  DATA_INVALID: {
    status: 422,
    close: 4522,
    retryMs: null
  },
  URL_FORBIDDEN: { status: 422, close: 4590, retryMs: null },
  DOWNLOAD_FAILED: { status: 422, close: 1011, retryMs: null },
  CONNECTION_LOST: {
    status: 503,
    close: 1006,
    retryMs: 1000,
    outlived: true
  },
  ANSWER_UNEXPECTED: {
    status: 502,
    close: 1011,
    retryMs: null
  },
  UNAUTHENTICATED: { status: 401, close: 4501, retryMs: null },
  FORBIDDEN: { status: 403, close: 4503, retryMs: null },
  LIMIT_REACHED: { status: 429, close: 4430, retryMs: 1000 },
  ORIGIN_FORBIDDEN: {
    status: 403,
    close: 4503,
    retryMs: null
  },
  HOST_FORBIDDEN: { status: 403, close: 4503, retryMs: null },
  REQUEST_INVALID: { status: 400, close: 4590, retryMs: null },
  REQUEST_TIMEOUT: { status: 408, close: 4408, retryMs: 1000 },
  METHOD_UNKNOWN: { status: 405, close: 4590, retryMs: null },
  UPGRADE_REQUIRED: { status: 426, close: 4590, retryMs: null },
  PRECONDITION_FAILED: {
    status: 412,
    close: 4590,
    retryMs: null
  },
  RANGE_UNSATISFIABLE: { status: 416, close: 4590, retryMs: null },
  HEADERS_TOO_LARGE: {
    status: 431,
    close: 4590,
    retryMs: null
  },
  ROUTE_UNKNOWN: { status: 404, close: 4590, retryMs: null },
  INTERNAL: { status: 500, close: 1011, retryMs: 5000 }
} as const satisfies Record<string, ErrorDefinition>

export interface ErrorDefinition {
  status: number
  close: number | null
  retryMs: number | null
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
