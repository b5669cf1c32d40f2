import { convolution, resize, upConvolution } from './convolution.ts'
import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'
import { motionSites } from '../latents/latents.ts'
import { motionModule } from './motion-module.ts'
import { WindowInputs } from './window-inputs.ts'
import { mapNames, skipName } from '../latents/window-values.ts'

type Grid = readonly [number, number]

/**
 * The depth head (DPT, arXiv 2103.13413, with four motion modules): taps [B, patches, D] x 4 → inverse depth
 * or metres [B, H, W], as the node named `output`. Maps are 4, 2, 1 and 1/2 times the patch grid, fused from coarse to fine.
 */
export function depthHead(context: GraphContext, taps: readonly Value[], output: Value): void {
  const { graph, architecture, grid } = context
  const window = context.mode === 'single' ? null : new WindowInputs(context)
  const sites = motionSites(architecture, grid)
  const move = (index: 0 | 1 | 2 | 3, value: Value) =>
    architecture.motionModules === false
      ? value
      : motionModule(context, index, { value, ...sites[index] }, window)
  const [map1, map2, map3, map4] = taps.map((tap, index) => projection(context, index, tap))

  const layer1 = upConvolution(context, 'head.resize_layers.0', graph.keep(mapNames[0], map1!))
  const layer2 = upConvolution(context, 'head.resize_layers.1', graph.keep(mapNames[1], map2!))
  const layer3 = move(0, map3!)
  const layer4 = move(1, convolution(context, 'head.resize_layers.3', map4!, { stride: 2 }))
  const [skip1, skip2, skip3, skip4] = [layer1, layer2, layer3, layer4].map((layer, index) =>
    convolution(context, `head.scratch.layer${index + 1}_rn`, layer)
  )

  graph.keep(skipName, skip3!)
  const path4 = move(2, refine(context, 4, skip4!, grid))
  const path3 = move(3, refine(context, 3, joined(context, 3, path4, skip3!), times(grid, 2)))
  const path2 = refine(context, 2, joined(context, 2, path3, skip2!), times(grid, 4))
  const path1 = refine(context, 1, joined(context, 1, path2, skip1!), times(grid, 8))

  const narrowed = convolution(context, 'head.scratch.output_conv1', path1)
  const full = resize(context, narrowed, architecture.features / 2, times(grid, architecture.patch))
  const features = relu(context, convolution(context, 'head.scratch.output_conv2.0', full))
  const depth = closing(context, features)
  graph.node('Squeeze', [depth, graph.integers([1])], { outputs: [output] })
}

/**
 * The last convolution, whatever the precision in float32: float16 would leave steps in smooth depth. Inverse depth is cut
 * off at 0; metric networks may instead spread a sigmoid over their range.
 */
function closing(context: GraphContext, features: Value): Value {
  const { graph, architecture } = context
  const type = 'float32'
  const exact = graph.floatType === type ? features : graph.cast(features, type)
  const x = convolution(context, 'head.scratch.output_conv2.2', exact, { type })
  const { maxDepthMetres } = architecture
  if (maxDepthMetres === undefined) return relu(context, x)
  return graph.node('Mul', [graph.node('Sigmoid', [x]), graph.vector(Float32Array.of(maxDepthMetres), type)])
}

/** A tap through its 1x1 convolution, as a map: [B, patches, D] → [B, C, ph, pw]. */
function projection({ graph, ops, weights, batch, grid }: GraphContext, index: number, tap: Value): Value {
  const { rows, columns, data } = weights.matrix(`head.projects.${index}.weight`)
  const planes = ops.multiplyTransposed(graph, graph.constant(data, [1, rows, columns]), tap)
  const bias = graph.constant(weights.vector(`head.projects.${index}.bias`), [rows, 1])
  return graph.reshape(graph.add(planes, bias), [batch, rows, ...grid])
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
  return resize(
    context,
    convolution(context, `${name}.out_conv`, refined),
    context.architecture.features,
    size
  )
}

function residualUnit(context: GraphContext, name: string, x: Value): Value {
  const inner = relu(context, convolution(context, `${name}.conv1`, relu(context, x)))
  return context.graph.add(convolution(context, `${name}.conv2`, inner), x)
}

function relu({ graph }: GraphContext, x: Value): Value {
  return graph.node('Relu', [x])
}

function times([rows, columns]: Grid, factor: number): Grid {
  return [rows * factor, columns * factor]
}
