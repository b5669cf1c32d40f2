import { Command } from 'commander'

import { benchCommand } from './bench.ts'
import { clipCommand } from './clip.ts'
import { clipsCommand } from './clips.ts'
import { demoCommand } from './demo.ts'
import { drainCommand } from './drain.ts'
import { doctorCommand } from './doctor.ts'
import { evalCommand } from './eval.ts'
import { addExamples } from './examples.ts'
import { gatewayCommand } from './gateway.ts'
import { keysCommand } from './keys.ts'
import { modelsCommand } from './models.ts'
import { recordCommand } from './record.ts'
import { replayCommand } from './replay.ts'
import { serveCommand } from './serve.ts'
import { rebalanceCommand } from './rebalance.ts'
import { sessionsCommand } from './sessions.ts'
import { streamCommand } from './stream.ts'
import { topCommand } from './top.ts'
import { usageCommand } from './usage.ts'
import { packageVersion } from './version.ts'
import { webhooksCommand } from './webhooks.ts'
import { workerCommand } from './worker.ts'

/** `leadline` and its commands. Nothing starts before it parses. */
export function buildProgram(): Command {
  const program = new Command('leadline')
    .description('Live video depth that you host yourself.')
    .version(packageVersion())
    .showHelpAfterError('(leadline <command> --help shows the options)')
  const commands = [serveCommand(), gatewayCommand(), workerCommand(), streamCommand(), clipCommand()]
  commands.push(
    keysCommand(),
    clipsCommand(),
    webhooksCommand(),
    recordCommand(),
    replayCommand(),
    sessionsCommand(),
    topCommand(),
    benchCommand(),
    usageCommand(),
    drainCommand(),
    rebalanceCommand(),
    modelsCommand(),
    evalCommand(),
    doctorCommand(),
    demoCommand()
  )
  for (const command of commands) program.addCommand(command)
  addExamples(program)
  return throwInsteadOfExit(program)
}

/** Commands made apart do not inherit settings, so each gets them here. */
function throwInsteadOfExit(command: Command): Command {
  command.exitOverride().copyInheritedSettings(command.parent ?? command)
  for (const child of command.commands) throwInsteadOfExit(child)
  return command
}
