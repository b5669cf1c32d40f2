import type { Command } from 'commander'
import type { Steadiness } from '../session.ts'

/** What the command line says about cuts and drift; what it does not say is the server's choice. */
export type SteadinessWishes = Partial<Steadiness>

/** Adds the options that streams and clips share. */
export function addSteadinessOptions(command: Command): Command {
  return command
    .option('--scene-cut', 'forget the past where the video cuts to another scene; default')
    .option('--no-scene-cut', 'carry on over cuts')
    .option('--stabilize', 'hold scale and shift of relative depth steady')
    .option('--steady-range', 'let the range of the colours rest until the scene changes')
}

/** Of a command's options, only those about cuts and drift that were given. */
export function steadinessWishes({ sceneCut, stabilize, steadyRange }: SteadinessWishes): SteadinessWishes {
  return {
    ...(sceneCut === undefined ? {} : { sceneCut }),
    ...(stabilize === undefined ? {} : { stabilize }),
    ...(steadyRange === undefined ? {} : { steadyRange })
  }
}
