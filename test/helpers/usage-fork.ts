import { FolderUsageStore } from '../../src/usage/folder/folder-usage-store.ts'
import { entryOf } from './usage-entry.ts'
import { quietLog } from './quiet-log.ts'

/** Counts frames from a number on, and says of each that it is counted, until it is killed. */
const [, , folder = '', life = '0'] = process.argv
const store = await FolderUsageStore.open(folder, quietLog(), 20_000)
for (let number = Number(life) * 300; ; number++) {
  await store.count(entryOf({}, number))
  process.send?.(number)
  await new Promise(setImmediate)
}
