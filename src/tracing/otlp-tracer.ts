import type { Context, Span } from '@opentelemetry/api'
import { ROOT_CONTEXT, SpanKind, trace, TraceFlags } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { FrameStages } from '../metering/frame-stages.ts'
import { parseTraceparent, writeTraceparent } from './traceparent.ts'
import type { FrameTrace, FrameTracer } from './frame-tracer.ts'

export interface OtlpOptions {
  /** Of the collector, to which /v1/traces is added. */
  endpoint: string
  /** service.name of the spans. */
  service: string
  /** One frame of so many is looked at, of each gateway. */
  every: number
}

/** Traces by OpenTelemetry, over OTLP/HTTP. What cannot be sent is dropped, and keeps nothing up. */
export class OtlpTracer implements FrameTracer {
  readonly #every: number
  readonly #provider: BasicTracerProvider
  readonly #tracer
  #frames = 0
  #closed: Promise<void> | null = null

  constructor({ endpoint, service, every }: OtlpOptions) {
    const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` })
    this.#every = every
    this.#provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ 'service.name': service }),
      spanProcessors: [new BatchSpanProcessor(exporter)]
    })
    this.#tracer = this.#provider.getTracer('leadline')
  }

  begin(cameMs: number, { seq }: { seq: number }): FrameTrace | null {
    if (this.#frames++ % this.#every !== 0) return null
    const startTime = timeOf(cameMs)
    const span = this.#tracer.startSpan(
      'frame',
      { startTime, kind: SpanKind.SERVER, attributes: { 'leadline.seq': seq } },
      ROOT_CONTEXT
    )
    return {
      traceparent: writeTraceparent(span.spanContext()),
      end: ({ outcome, madeMs, sentMs }) => {
        span.setAttribute('leadline.outcome', outcome)
        if (madeMs !== null) this.#note('send', [madeMs, sentMs], trace.setSpan(ROOT_CONTEXT, span))
        endAt(span, sentMs)
      }
    }
  }

  framed({ sessionId, stages }: { sessionId: string; stages: FrameStages }): void {
    const parent = stages.traceparent === null ? null : parseTraceparent(stages.traceparent)
    if (parent === null) return
    const remote = { ...parent, traceFlags: TraceFlags.SAMPLED, isRemote: true }
    const context = trace.setSpanContext(ROOT_CONTEXT, remote)
    const attributes = { 'leadline.session': sessionId }
    this.#note('decode', [stages.decodeBeganMs, stages.decodeEndedMs], context, attributes)
    this.#note('queue', [stages.decodeEndedMs, stages.stepBeganMs], context, attributes)
    this.#note('step', [stages.stepBeganMs, stages.stepEndedMs], context, attributes)
    this.#note('encode', [stages.encodeBeganMs, stages.encodeEndedMs], context, attributes)
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#provider.shutdown().catch(() => undefined))
  }

  #note(name: string, [beganMs, endedMs]: [number, number], context: Context, attributes = {}): void {
    const startTime = timeOf(beganMs)
    endAt(this.#tracer.startSpan(name, { startTime, kind: SpanKind.INTERNAL, attributes }, context), endedMs)
  }
}

function endAt(span: Span, atMs: number): void {
  span.end(timeOf(atMs))
}

/** On the clock of the wall, in milliseconds. */
function timeOf(ms: number): number {
  return performance.timeOrigin + ms
}
