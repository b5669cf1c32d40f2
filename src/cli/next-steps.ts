import type { Config } from '../config.ts'
import type { Finding } from '../inference/index.ts'

/** What to do about what the doctor found: commands and settings, in the order in which they are worth trying. */
export function nextSteps(
  findings: readonly Finding[],
  { device, redisUrl, host, port }: Pick<Config, 'device' | 'redisUrl' | 'host' | 'port'>
): string[] {
  const stateOf = (subject: string) => findings.find((finding) => finding.subject === subject)?.state
  const broken = findings.filter(({ state }) => state === 'broken')
  if (broken.length > 0) {
    return [
      ...broken.flatMap(({ subject, remedy }) =>
        remedy === undefined ? [] : [`mend ${subject}: ${remedy}`]
      ),
      ...(device === 'cpu'
        ? ['then look again: leadline doctor']
        : [
            'run on the CPU meanwhile: LEADLINE_DEVICE=cpu leadline serve',
            `then look again: LEADLINE_DEVICE=${device} leadline doctor`
          ])
    ]
  }
  const models = findings.filter(({ subject }) => subject.startsWith('memory of '))
  const full = models
    .filter(({ state }) => state !== 'ok')
    .map(({ subject }) => subject.slice('memory of '.length))
  const start =
    redisUrl === null
      ? [`start it: leadline serve, then open http://${host}:${port}`]
      : ['start a worker here: leadline worker', 'and a gateway, here or elsewhere: leadline gateway']
  return [
    ...full.map((model) => `give ${model} room for a session: LEADLINE_MEMORY_MIB=8192 leadline doctor`),
    ...(device === 'cpu' && stateOf('GPU') === 'ok' && stateOf('provider cuda') === 'ok'
      ? ['try the GPU: LEADLINE_DEVICE=cuda leadline doctor']
      : []),
    ...start,
    ...(models.length === 1 && models[0]?.subject === 'memory of leadline-nano'
      ? ['get a stronger model: leadline models add vda-small (docs/models-add.md)']
      : []),
    `see how much it bears: leadline bench ws://${host}:${port}`
  ]
}
