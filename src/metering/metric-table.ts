/** Who has a metric: whoever serves HTTP, or whoever has a device. `leadline serve` is both. */
export type MetricOwner = 'gateway' | 'worker'

export interface Metric {
  type: 'counter' | 'gauge' | 'histogram'
  help: string
  of: readonly MetricOwner[]
  /** Each with the values that it may have; a text says where they are listed. */
  labels?: Readonly<Record<string, string>>
  buckets?: readonly number[]
}

/** From half a millisecond to ten seconds. */
const latencyBuckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
/** A beat of a lease, what Redis takes for it to run out, and minutes until a new worker is there. */
const stallBuckets = [0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 30, 60]
const both = ['gateway', 'worker'] as const
const gateway = ['gateway'] as const
const worker = ['worker'] as const
/** What this process has counted of docs/usage.md since it began. */
const usage = {
  ...({ type: 'counter', of: both } as const),
  labels: { key: 'id of a key, with LEADLINE_METRICS_PER_KEY alone' }
}

/**
 * Every metric there is, in base units: the registries are made from it, and the table in docs/operating.md, the dashboard
 * and the alerts are held to it. No label has a value that a client chooses.
 */
export const metricTable = {
  leadline_frame_seconds: {
    ...{ type: 'histogram', of: gateway, buckets: latencyBuckets },
    help: 'From the arrival of a frame at the gateway until its depth map was handed to the socket'
  },
  leadline_frame_stage_seconds: {
    ...{ type: 'histogram', of: both, buckets: latencyBuckets },
    help: 'Time of a frame in one stage; send is the gateway’s, the others are the worker’s',
    labels: { stage: 'queue, decode, step, encode, send' }
  },
  leadline_frames_total: {
    ...{ type: 'counter', of: gateway },
    help: 'Frames by what became of them, as clients were told',
    labels: {
      outcome: 'result, drop, error',
      reason: 'empty of a result; PROTOCOL.md for drops; code of an error'
    }
  },
  leadline_streams: { type: 'gauge', of: gateway, help: 'Sockets that are open' },
  leadline_continuity_total: {
    ...{ type: 'counter', of: gateway },
    help: 'Sessions that were resumed or whose latent cache was lost, by what was left of the past',
    labels: { kind: 'exact, rebuilt, new' }
  },
  leadline_failures_total: {
    ...{ type: 'counter', of: gateway },
    help: 'Failures that clients were told of: of requests, streams, frames and clips',
    labels: { code: 'src/errors.ts' }
  },
  leadline_gateway_sessions: {
    ...{ type: 'gauge', of: gateway },
    help: 'Sessions that the gateway holds; lost: their worker is gone, and another is looked for',
    labels: { state: 'served, lost' }
  },
  leadline_replacements_total: {
    ...{ type: 'counter', of: gateway },
    help: 'Sessions whose worker was lost, by whether another took them',
    labels: { result: 'placed, failed' }
  },
  leadline_session_stall_seconds: {
    ...{ type: 'histogram', of: gateway, buckets: stallBuckets },
    help: 'Time in which a session gave nothing since its worker was lost',
    labels: { stage: 'detection, placement, rebuild' }
  },
  leadline_sessions: {
    ...{ type: 'gauge', of: worker },
    help:
      'Sessions of the worker, each in one state; opening: no frame can be taken yet; moving: on its way to another worker; ' +
      'parked: without device memory; detached: with it and without a client',
    labels: { state: 'opening, active, detached, parked, moving' }
  },
  leadline_evictions_total: {
    ...{ type: 'counter', of: worker },
    help: 'Sessions that had to leave device memory; capacity: for another one',
    labels: { reason: 'idle, capacity' }
  },
  leadline_unpark_seconds: {
    ...{ type: 'histogram', of: worker, buckets: latencyBuckets },
    help: 'From the frame that brings a parked session back until its outcome'
  },
  leadline_moves_total: { type: 'counter', of: worker, help: 'Sessions that were given to other workers' },
  leadline_capacity_bytes: {
    ...{ type: 'gauge', of: worker },
    help: 'Device memory that latent caches may take'
  },
  leadline_reserved_bytes: {
    ...{ type: 'gauge', of: worker },
    help: 'Device memory reserved for the caches of open sessions'
  },
  leadline_parked_bytes: {
    ...{ type: 'gauge', of: worker },
    help: 'Host memory that the latent caches of parked sessions hold'
  },
  leadline_step_seconds: {
    ...{
      type: 'histogram',
      of: worker,
      buckets: [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2]
    },
    help: 'Time of a step on the device, all its rows together'
  },
  leadline_step_rows: {
    ...{ type: 'histogram', of: worker, buckets: [1, 2, 4, 8, 16] },
    help: 'Sessions that shared a step'
  },
  leadline_frames_stepped_total: {
    ...{ type: 'counter', of: worker },
    help: 'Frames that went through the network; one of them tried it at the start'
  },
  leadline_transfer_bytes_total: {
    ...{ type: 'counter', of: worker },
    help: 'Bytes between host and device; kind "cache" stands still while streams go on',
    labels: { direction: 'to_device, to_host', kind: 'frame, depth, cache' }
  },
  leadline_executor_up: {
    ...{ type: 'gauge', of: worker },
    help: '1 while the process that holds the latent caches lives'
  },
  leadline_executor_losses_total: {
    ...{ type: 'counter', of: worker },
    help: 'Deaths and hangs of the process that holds the latent caches'
  },
  leadline_degraded: {
    ...{ type: 'gauge', of: worker },
    help: '1 after batches had to be made smaller for lack of memory'
  },
  leadline_start_seconds: {
    ...{ type: 'gauge', of: both },
    help: 'From the start of the process until it served, and until the first depth map was made',
    labels: { until: 'ready, first_depth' }
  },
  leadline_redis_up: { type: 'gauge', of: both, help: '1 while Redis answers; none without Redis' },
  leadline_redis_ping_seconds: {
    ...{ type: 'gauge', of: both },
    help: 'How long Redis took to answer, asked when the figures are read'
  },
  leadline_redis_outages_total: {
    ...{ type: 'counter', of: both },
    help: 'How often the connection to Redis was lost'
  },
  leadline_redis_unsent_bytes: {
    ...{ type: 'gauge', of: both },
    help: 'Frames and depth maps that wait to be sent to Redis'
  },
  leadline_queue_jobs: {
    ...{ type: 'gauge', of: both },
    help: 'Jobs of a queue; turns are the worker’s own, clips and webhooks those of all gateways together',
    labels: { queue: 'turns, clips, webhooks', state: 'waiting, active, delayed, failed' }
  },
  leadline_queue_restarts_total: {
    ...{ type: 'counter', of: worker },
    help: 'How often the queue of turns took none though Redis answered, and was started again'
  },
  leadline_usage_frames_total: { ...usage, help: 'Frames of streams and images that got their depth' },
  leadline_usage_pixels_total: { ...usage, help: 'Of the pictures of frames that got their depth' },
  leadline_usage_device_seconds_total: { ...usage, help: 'Shares of steps that frames got their depth from' },
  leadline_usage_session_seconds_total: {
    ...usage,
    help: 'For which sessions were open, those of clips left out'
  },
  leadline_usage_clip_frames_total: { ...usage, help: 'Frames of clips that have ended' },
  leadline_usage_received_bytes_total: { ...usage, help: 'Of frames and videos' },
  leadline_usage_sent_bytes_total: { ...usage, help: 'Of depth maps, and of the results of clips' }
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof metricTable
