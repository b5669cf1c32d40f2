import { move, transferableSymbol, valueSymbol } from 'piscina'
import { renderMap } from '../../depth-files/index.ts'
import type { MapTask } from '../../depth-files/index.ts'

/** What the thread of `MapRenderer` runs. Large arrays are moved, not copied. */
export default function answer(task: MapTask): unknown {
  const rendered = renderMap(task)
  const large = [rendered.values, rendered.colors, rendered.stored].filter((array) => array !== null)
  const buffers = large.map(({ buffer }) => buffer)
  return move({ [transferableSymbol]: buffers, [valueSymbol]: rendered } as unknown as ArrayBuffer)
}
