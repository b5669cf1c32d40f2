import Type from 'typebox'

/** What is read of the environment about traces. */
export const traceVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.String({
    default: '',
    pattern: '^(https?://.+)?$',
    description:
      'Collector of traces, by OTLP over HTTP, such as http://collector:4318; OTEL_EXPORTER_OTLP_HEADERS counts too; empty: none'
  }),
  LEADLINE_TRACE_EVERY: Type.Integer({
    default: 100,
    minimum: 1,
    description: 'Of how many frames one is traced'
  })
}
