import { Command } from 'commander'
import { LeadlineError } from '../errors.ts'
import { addKeyFile } from './server-key.ts'
import type { KeyOption } from './server-key.ts'
import { untilInterrupted } from './interrupt.ts'
import { sayLast } from './final-lines.ts'
import type { ReplayReport } from './recording/replay.ts'
import { replayRecording } from './recording/replay.ts'

interface ReplayCommandOptions extends KeyOption {
  url?: string
  realTime?: boolean
  json?: boolean
}

export function replayCommand(): Command {
  const command = new Command('replay')
    .description('Send the frames of a recording again, and compare what comes, bit for bit.')
    .argument('<file>', 'what "leadline record" or "leadline stream --record" wrote')
    .option('--url <address>', 'a running server (host:port); default: start one for this run')
    .option(
      '--real-time',
      'with the client’s times and its delivery; default: as fast as the server allows, losslessly, without frames that were dropped'
    )
    .option('--json', 'as JSON, as it is where the output is no terminal')
    .action(async (path: string, { url, keyFile, realTime = false, json = false }: ReplayCommandOptions) => {
      const report = await untilInterrupted((signal) =>
        replayRecording(path, { url, keyFile, isRealTime: realTime, signal })
      )
      sayLast({ lines: inWords(report), document: report, isJson: json })
      const { different, equal, first } = report
      if (first === null) return
      const detail = `frame ${first.seq} of ${first.session}: ${first.difference}`
      throw new LeadlineError(
        'DATA_INVALID',
        `${different} of ${different + equal} outcomes differ, the first: ${detail}`
      )
    })
  return addKeyFile(command)
}

function inWords({ sessions, equal, skipped, isCut, otherWeights }: ReplayReport): string[] {
  return [
    `${equal} outcomes equal, of ${sessions === 1 ? 'one session' : `${sessions} sessions`}`,
    ...(skipped > 0 ? [`${skipped} frames were dropped when it was recorded, and were not sent again`] : []),
    ...(isCut ? ['The recording was cut off; it was replayed up to there'] : []),
    ...otherWeights.map((id) => `Session ${id} had other weights when it was recorded`)
  ]
}
