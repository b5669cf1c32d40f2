import type { Size } from '../../maps/bilinear.ts'
import type { ResolutionRule } from '../../manifest.ts'

export type { Size }

/**
 * The network size for a source. Lower-bound scaling as in DPT and DINO preprocessing: the shorter side is scaled (up or
 * down) to `lowerBound`, the longer one keeps the aspect, both are rounded to multiples of the patch. A result above
 * `maxArea` is scaled down, keeping the aspect and rounding towards zero. No side is below one patch, and the area never
 * exceeds the budget: of a source thinner than the patch allows, the longer side is cut to what the budget holds.
 */
export function networkSize(source: Size, rule: ResolutionRule): Size {
  const scale = rule.lowerBound / Math.min(source.width, source.height)
  const wanted = {
    width: toMultiple(source.width * scale, rule.multiple, Math.round),
    height: toMultiple(source.height * scale, rule.multiple, Math.round)
  }
  return wanted.width * wanted.height <= rule.maxArea ? wanted : withinBudget(source, rule)
}

function withinBudget(source: Size, rule: ResolutionRule): Size {
  const scale = Math.sqrt(rule.maxArea / (source.width * source.height))
  const width = toMultiple(source.width * scale, rule.multiple, Math.floor)
  const height = toMultiple(source.height * scale, rule.multiple, Math.floor)
  return {
    width: Math.min(width, longestBeside(height, rule)),
    height: Math.min(height, longestBeside(width, rule))
  }
}

/**
 * The sizes at the edge of the budget: none is contained in another, and whatever `networkSize` returns is contained in
 * one of them, so that a cost which grows with both sides is largest here.
 */
export function largestSizes(rule: ResolutionRule): Size[] {
  const sizes: Size[] = []
  for (let height = rule.multiple; height * rule.multiple <= rule.maxArea; height += rule.multiple) {
    const width = longestBeside(height, rule)
    height = longestBeside(width, rule)
    sizes.push({ width, height })
  }
  return sizes
}

function longestBeside(side: number, rule: ResolutionRule): number {
  return toMultiple(rule.maxArea / side, rule.multiple, Math.floor)
}

function toMultiple(length: number, multiple: number, round: (value: number) => number): number {
  return Math.max(1, round(length / multiple)) * multiple
}
