import { Command, InvalidArgumentError } from 'commander'
import { Interrupted } from './failure.ts'
import { untilInterrupted } from './interrupt.ts'
import { serverAt } from './own-server.ts'
import { RecordingFile } from './recording/recording-file.ts'
import { startRelay } from './recording/relay.ts'

export function recordCommand(): Command {
  return new Command('record')
    .description(
      'Stand between your client and a server, and keep what they say in a file, for a bug report. It shows the video; keys, tickets ' +
        'and tokens are left out.'
    )
    .argument('<file>', 'the recording; "leadline replay" reads it')
    .option('--url <address>', 'a running server (host:port); default: start one for this run')
    .option('--port <number>', 'where your client connects, on this machine; 0: any that is free', port, 0)
    .action(async (path: string, options: { url?: string; port: number }) => {
      const file = await RecordingFile.create(path)
      const server = await serverAt({ url: options.url })
      try {
        const relay = await startRelay({ url: server.url, port: options.port, file })
        console.log(`leadline recording: connect to ${relay.url} in place of ${server.url}; Ctrl-C ends`)
        try {
          await untilInterrupted(stopped)
        } finally {
          await relay.close()
          await file.close()
          console.log(`${file.entries} messages are in ${path}`)
        }
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error
      } finally {
        await server.close()
      }
    })
}

/** To stop it is how it ends. */
function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

function port(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value < 65_536) return value
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.')
}
