import { motionSites } from '../latents/latents.ts'
import { skipName } from '../latents/window-values.ts'
import { convolution, relu, resize } from './convolution.ts'
import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'
import { motionModule } from './motion-module.ts'
import { WindowInputs } from './window-inputs.ts'

type Grid = readonly [number, number]

/**
 * Fusion from coarse to fine (DPT, arXiv 2103.13413, with four motion modules): four maps of 4, 2, 1 and 1/2 times the
 * grid → one of 8 times the grid.
 */
export function fuse(context: GraphContext, maps: readonly [Value, Value, Value, Value]): Value {
  const { graph, architecture, grid } = context
  const window = context.mode === 'single' ? null : new WindowInputs(context)
  const sites = motionSites(architecture, grid)
  const move = (index: 0 | 1 | 2 | 3, value: Value) =>
    architecture.motionModules === false
      ? value
      : motionModule(context, index, { value, ...sites[index] }, window)
  const moved = [maps[0], maps[1], move(0, maps[2]), move(1, maps[3])]
  const [skip1, skip2, skip3, skip4] = moved.map((map, index) =>
    convolution(context, `head.scratch.layer${index + 1}_rn`, map)
  )

  graph.keep(skipName, skip3!)
  const path4 = move(2, refine(context, 4, skip4!, grid))
  const path3 = move(3, refine(context, 3, joined(context, 3, path4, skip3!), times(grid, 2)))
  const path2 = refine(context, 2, joined(context, 2, path3, skip2!), times(grid, 4))
  return refine(context, 1, joined(context, 1, path2, skip1!), times(grid, 8))
}

/** What came from below plus the finer map, the latter refined first. */
function joined(context: GraphContext, stage: number, path: Value, skip: Value): Value {
  const unit = residualUnit(context, `head.scratch.refinenet${stage}.resConfUnit1`, skip)
  return context.graph.add(path, unit)
}

/**
 * One fusion stage without its join. The official order is resize, then the 1x1 out_conv; a 1x1 convolution commutes
 * with bilinear weights, which sum to one, and before the resize it costs a quarter.
 */
function refine(context: GraphContext, stage: number, x: Value, size: Grid): Value {
  const name = `head.scratch.refinenet${stage}`
  const refined = residualUnit(context, `${name}.resConfUnit2`, x)
  const channels = context.weights.matrix(`${name}.out_conv.weight`).rows
  return resize(context, convolution(context, `${name}.out_conv`, refined), channels, size)
}

function residualUnit(context: GraphContext, name: string, x: Value): Value {
  const inner = relu(context, convolution(context, `${name}.conv1`, relu(context, x)))
  return context.graph.add(convolution(context, `${name}.conv2`, inner), x)
}

function times([rows, columns]: Grid, factor: number): Grid {
  return [rows * factor, columns * factor]
}
