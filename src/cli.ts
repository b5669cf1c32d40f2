import { reportFailure } from './cli/failure.ts'
import { outliveTerminal } from './cli/lost-terminal.ts'
import { buildProgram } from './cli/program.ts'

outliveTerminal()
try {
  await buildProgram().parseAsync()
} catch (error) {
  // At once, whatever a start that failed may have left open.
  process.exit(reportFailure(error))
}
