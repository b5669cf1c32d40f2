import type { Size } from '../maps/bilinear.ts'
import { silentMatrix } from '../maps/yuv-matrix.ts'
import type { PictureFacts } from './picture-facts.ts'
import { toneMapFilters } from './tone-mapping.ts'

/** Filters that make an upright picture one of this size, with square pixels, in RGB as a screen shows it. */
export function pictureFilters(facts: PictureFacts, { width, height }: Size): string {
  const matrix = facts.matrix === null ? `:in_color_matrix=${silentMatrix(facts.coded)}` : ''
  const scale = `scale=${width}:${height}${matrix}:flags=bicubic+accurate_rnd+full_chroma_int`
  return [scale, ...toneMapFilters(facts), 'setsar=1'].join(',')
}
