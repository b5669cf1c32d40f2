/**
 * Whether anything grows: `npm run bench soak -- --minutes 10`. Clients open sessions, leave them, resume them and close
 * them again and again, some read slowly, some are idle until they are parked or another needs their memory, some crash; now
 * and then all leave, and it is measured what stays. Figures are medians of the last quarter of these measures and of the
 * second; exit code 1 where something is not flat.
 */
import { parseArgs } from 'node:util'
import { report } from './report.ts'
import { isFlat } from './soak/flat.ts'
import { playSoak } from './soak/play.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, clients: { type: 'string', default: '24' } }
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
const minutes = Number(values.minutes)
const { counts, exits, growths, logsFolder } = await playSoak({
  minutes,
  clients: Number(values.clients)
})
report({ name: `${minutes} min: sessions opened`, value: counts.opened, unit: '' })
report({ name: 'sessions resumed', value: counts.resumed, unit: '' })
report({ name: 'sessions parked since they were idle, and gone on', value: counts.parked.idle, unit: '' })
report({
  name: 'sessions parked since others needed room, and gone on',
  value: counts.parked.capacity,
  unit: ''
})
for (const { early, late, name } of growths) {
  const unit = /, (\w+)$/.exec(name)?.[1] ?? ''
  report({
    name: `${name} at the end`,
    value: rounded(late),
    unit,
    ratio: rounded(late / early),
    to: 'a quarter of the time in'
  })
}
const grown = growths.filter((growth) => !isFlat(growth))
for (const { allowed, early, late, name } of grown)
  process.stderr.write(
    `${name} grew from ${rounded(early)} to ${rounded(late)}; ${rounded(allowed)} would be flat\n`
  )
for (const exit of exits) process.stderr.write(`${exit} ended by itself; logs in ${logsFolder}\n`)
process.exit(grown.length + exits.length > 0 ? 1 : 0)

function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
