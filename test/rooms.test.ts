import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.dirname(import.meta.dirname)
const rooms = JSON.parse(readFileSync(path.join(root, 'rooms.json'), 'utf8')) as Record<string, string[]>
const contributing = readFileSync(path.join(root, 'CONTRIBUTING.md'), 'utf8')
const files = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => path.posix.join('src', file))

/** What each file imports of the others, types included. */
const imports = new Map(files.map((file) => [file, importsOf(file)]))

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8')
  return [...text.matchAll(/\b(?:from|import)\s*\(?'(\.[^']+)'/g)]
    .map(([, specifier = '']) => path.posix.join(path.posix.dirname(file), specifier))
    .filter((target) => files.includes(target))
}

/** The files on a way from `file` back to itself; empty where there is none. */
function circleThrough(file: string): string[] {
  const ways = [[file]]
  const seen = new Set<string>()
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const next of imports.get(way.at(-1)!) ?? []) {
      if (next === file) return [...way, next]
      if (seen.has(next)) continue
      seen.add(next)
      ways.push([...way, next])
    }
  }
  return []
}

test('no file imports itself by way of others, not even a type', () => {
  expect(files.length).toBeGreaterThan(200)
  expect([...imports.values()].flat().length).toBeGreaterThan(files.length)
  expect(files.map(circleThrough).filter((circle) => circle.length > 0)).toEqual([])
})

test.each(Object.entries(rooms))(
  'every file of %s is on a floor, and imports from none above it',
  (room, floors) => {
    const floorOf = (file: string) => floors.indexOf(file.slice(room.length + 1).split('/')[0] ?? '')
    const inside = files.filter((file) => file.startsWith(`${room}/`))
    expect(inside.filter((file) => floorOf(file) < 0)).toEqual([])
    const upward = inside.flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith(`${room}/`) && floorOf(target) < floorOf(file))
        .map((target) => `${file} → ${target}`)
    )
    expect(upward).toEqual([])
  }
)

test('a room can be taken in at a glance, and a file read in one sitting', () => {
  const flat = (room: string) => files.filter((file) => path.posix.dirname(file) === room).length
  expect(flat('src/inference')).toBeLessThanOrEqual(12)
  expect(flat('src/sessions')).toBeLessThanOrEqual(10)
  expect(flat('src')).toBeLessThanOrEqual(16)
  const long = files.filter((file) => readFileSync(path.join(root, file), 'utf8').split('\n').length > 301)
  expect(long).toEqual([])
})

test('CONTRIBUTING has every folder of the large rooms, and walks through files that exist', () => {
  for (const room of ['src/inference', 'src/sessions'])
    for (const floor of rooms[room]!.filter((name) => !name.includes('.')))
      expect(contributing).toContain(`\n  ${floor}/ `)
  const walk = [...contributing.matchAll(/^\d+\. `(src\/[^`]+)`/gm)].map(([, file = '']) => file)
  expect(walk).toHaveLength(10)
  expect(walk.filter((file) => !files.includes(file))).toEqual([])
})
