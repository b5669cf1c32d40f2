import { Command } from 'commander'
import { asLeadlineError, LeadlineError } from '../errors.ts'
import { diagnose, findMemory, tryDevice, type Finding } from '../inference/index.ts'
import { nextSteps } from './next-steps.ts'
import { serviceConfig, serviceLog } from './service-options.ts'

const marks = { ok: '✓', missing: '–', broken: '✗' } as const
/** Above this the device computes something else; fp16 and int8 stay well below. */
const largestDifference = 0.05

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'What this machine has to run networks on, what is missing, what sessions take, and a trial of the configured device.'
    )
    .option('--json', 'as JSON lines, as it is where the output is no terminal')
    .action(async ({ json = false }: { json?: boolean }) => {
      const config = serviceConfig({})
      const memory = await findMemory(config, serviceLog('silent'))
      const findings = [...(await diagnose(config)), ...memory, await trialOf(config)]
      const next = nextSteps(findings, config)
      const lines =
        json || !process.stdout.isTTY
          ? [...findings, { next }].map((line) => JSON.stringify(line))
          : [...findings.map(lineOf), 'What to do next:', ...next.map((step) => `    ${step}`)]
      for (const line of lines) console.log(line)
      const broken = findings.filter(({ state }) => state === 'broken').map(({ subject }) => subject)
      if (broken.length > 0)
        throw new LeadlineError('EXECUTOR_FAILED', `Broken: ${broken.join(', ')}; the lines above say why`)
    })
}

async function trialOf(config: ReturnType<typeof serviceConfig>): Promise<Finding> {
  const subject = `trial on ${config.device}`
  try {
    const { model, device, width, height, stepMs, difference } = await tryDevice(config, serviceLog('silent'))
    const detail = `${model} at ${width}x${height} on ${device}: ${stepMs.toFixed(1)} ms a frame, differs from the CPU by ${difference.toExponential(1)} of the range`
    if (difference <= largestDifference) return { subject, state: 'ok', detail }
    return {
      subject,
      state: 'broken',
      detail,
      remedy: 'the device computes something else; take LEADLINE_DEVICE=cpu'
    }
  } catch (error) {
    return { subject, state: 'broken', detail: asLeadlineError(error).message }
  }
}

function lineOf({ subject, state, detail, remedy }: Finding): string {
  return `${marks[state]} ${subject}: ${detail}${remedy === undefined ? '' : ` → ${remedy}`}`
}
