import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { examples } from '../../src/cli/examples.ts'
import { buildProgram } from '../../src/cli/program.ts'

/** Commands that do something, by how they are called. */
function leaves(command: Command, words: readonly string[] = []): [string, Command][] {
  if (command.commands.length === 0) return [[words.join(' '), command]]
  return command.commands.flatMap((child) => leaves(child, [...words, child.name()]))
}

/** As `leadline … --help` prints it. */
function helpOf(command: Command): string {
  let help = ''
  command.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp()
  return help
}

test('every command has an example in its help, and no example is of a command that is not there', () => {
  const commands = leaves(buildProgram())
  expect(commands.length).toBeGreaterThan(25)
  expect(Object.keys(examples).toSorted()).toEqual(commands.map(([name]) => name).toSorted())
  for (const [name, command] of commands)
    expect(helpOf(command), name).toContain(`\n  ${examples[name]![0]!}\n`)
})

test.each(Object.entries(examples).flatMap(([name, lines]) => lines.map((line) => [name, line] as const)))(
  '%s can be called so: %s',
  async (name, line) => {
    const typed = line.match(/(?<=leadline )[^|>]*/)![0].trim()
    const program = buildProgram()
    const called: string[] = []
    for (const [leaf, command] of leaves(program)) command.action(() => void called.push(leaf))
    await program.parseAsync(typed.split(' '), { from: 'user' })
    expect(called).toEqual([name])
  }
)
