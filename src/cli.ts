#!/usr/bin/env node
import { buildProgram } from './cli/program.ts'
import { reportFailure } from './cli/failure.ts'

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.exitCode = reportFailure(error)
}
