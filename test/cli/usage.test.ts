import { CommanderError } from 'commander'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Interrupted, reportFailure } from '../../src/cli/failure.ts'
import { buildProgram } from '../../src/cli/program.ts'
import { LeadlineError } from '../../src/errors.ts'

/** Parse in this process: what it says on stderr and how it would exit. */
async function parse(args: string[]): Promise<{ said: string; exitCode: number }> {
  let said = ''
  const write = (text: string | Uint8Array) => ((said += String(text)), true)
  const spies = [vi.spyOn(process.stderr, 'write'), vi.spyOn(process.stdout, 'write')]
  for (const spy of spies) spy.mockImplementation(write)
  vi.spyOn(console, 'error').mockImplementation((text: string) => void write(text))
  try {
    await buildProgram().parseAsync(args, { from: 'user' })
    return { said, exitCode: 0 }
  } catch (error) {
    return { exitCode: reportFailure(error), said }
  } finally {
    vi.restoreAllMocks()
  }
}

test.each([
  [[], /Usage: leadline/],
  [['strem'], /unknown command 'strem'.*Did you mean stream/s],
  [['stream'], /missing required argument 'video'/],
  [['stream', 'a.mp4', '--mode', 'fast'], /'fast' is invalid. Allowed choices are ovda, single/],
  [['stream', 'a.mp4', '--cache-size', '0'], /'0' is invalid. It must be a whole number above 0/],
  [['serve', '--cache-size', '8'], /unknown option '--cache-size'/],
  [['models', 'add', 'a.pth'], /required option '--license <spdx>' not specified/],
  [['eval'], /required option '--data <folder>' not specified/]
])('wrong usage %j is explained and exits with 2', async (args, explained) => {
  const { said, exitCode } = await parse(args)
  expect(said).toMatch(explained)
  expect(exitCode).toBe(2)
})

test.each([['--help'], ['--version'], ['stream', '--help'], ['models', '--help']])(
  '%s exits with 0',
  async (...args) => {
    expect((await parse(args)).exitCode).toBe(0)
  }
)

test.each([
  [new LeadlineError('CLIP_INVALID', 'a.mp4 is no video'), 1, 'leadline: a.mp4 is no video'],
  [
    Object.assign(new Error('x'), { code: 'EADDRINUSE', port: 80, address: '::1' }),
    1,
    'leadline: port 80 on ::1 is taken'
  ],
  [Object.assign(new Error('x'), { code: 'EACCES', port: 80 }), 1, 'leadline: port 80 may not be opened'],
  [new Error('odd'), 1, 'leadline: odd'],
  ['odd', 1, 'leadline: odd']
])('%s exits with %i and one line', (error, exitCode, line) => {
  const said = vi.spyOn(console, 'error').mockReturnValue()
  onTestFinished(() => void vi.restoreAllMocks())
  expect(reportFailure(error)).toBe(exitCode)
  expect(said.mock.calls).toEqual([[expect.stringContaining(line)]])
})

test('an interrupt says nothing and exits as the shell expects', () => {
  const said = vi.spyOn(console, 'error').mockReturnValue()
  onTestFinished(() => void vi.restoreAllMocks())
  expect(reportFailure(new Interrupted())).toBe(130)
  expect(reportFailure(new CommanderError(0, 'commander.help', ''))).toBe(0)
  expect(said).not.toHaveBeenCalled()
})
