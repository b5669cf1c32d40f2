import type { Config } from '../config.ts'
import type { FrameTracer } from './frame-tracer.ts'

/** Null where nobody is told. Only here are the packages loaded that it takes. */
export async function openTracer(
  { traceEndpoint: endpoint, traceEvery: every }: Pick<Config, 'traceEndpoint' | 'traceEvery'>,
  service: string
): Promise<FrameTracer | null> {
  if (endpoint === null) return null
  const { OtlpTracer } = await import('./otlp-tracer.ts')
  return new OtlpTracer({ endpoint, service, every })
}
