import { reportFailure } from './cli/failure.ts'
import { outliveTerminal } from './cli/lost-terminal.ts'
import { leavePackageFolder } from './cli/npm-folder.ts'
import { buildProgram } from './cli/program.ts'

outliveTerminal()
leavePackageFolder(process.env)
try {
  await buildProgram().parseAsync()
} catch (error) {
  // At once, whatever a start that failed may have left open.
  process.exit(reportFailure(error))
}
