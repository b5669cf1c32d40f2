import type { Quantity } from '../wire/frame.ts'
import type { Colormap } from '../wire/output.ts'

/** A colour map as 256 RGB triples. Entry 255 is the nearest depth. */
export type ColorTable = Uint8Array

/**
 * Maps as published, 256 entries of 8 bits, bent so little that the second difference of a channel is -1, 0 or 1. `start`: the
 * first value and the first difference of R, G and B. `bends`: 254 second differences and a filler a channel, plus one, three
 * in a character, of two bits each. Turbo: Mikhailov, "Turbo, an improved rainbow colormap" (2019). Inferno, magma: van der Walt and
 * Smith (2015), CC0.
 */
const bent: Record<'turbo' | 'inferno' | 'magma', { start: readonly number[]; bends: string }> = {
  turbo: {
    start: [48, 2, 18, 3, 59, 8],
    bends:
      '5EEEBB9665HEBE8EB8QF5QRBHIERR:8UHRDUEEBB8DTTTR8R65EEB8QEDR8EEDR8HEEE9B8QQEEDTR8F5EBDQEEDUDU9BBB98R8R8R8THR65F4UBAR5QEEDTTR5QEBB8QEE98QQQEEEEBE8R5HEEEEEEHHREEEEEQQR8TTU9EE5E62B595DQE8EDE8B5B8DTR8HHHTTHEDTTTRDUF6BHRER9EEQR68HEEBAHEE9DTTU9BEEF668RBBBE9EEEF5I'
  },
  inferno: {
    start: [0, 1, 0, 0, 4, 1],
    bends:
      '66BEEEQQR8TTUBDTU98TRB98TRB8TRB98RB98R98R8R68HHHF5HEEEEBE9998R6665HEEEBE9BB8R98TUR9HIQQR8TR8QQEEBDU9EQHR8R98TRB8TR98R98RB99999BEBEEEEHEQHHQR8RBBBBDU9E9EDUEEEEBEEEEDU98HEIIEF5HHHHR665E8QEDTR665EEEEEBE998TR8HQHHEQEEEEEEEDUDUDUBDU9999BBEHURF99F5QRBEEHREEHEDQ'
  },
  magma: {
    start: [0, 1, 0, 0, 4, 1],
    bends:
      '669BEEHEF66698U99BBBB98R98R98R98TRB98TTTRBBB98TR8R8HF5EEDTTR8HHHEQEQEEEEEEEEEE9EEBEEEQR8RBBBB8QQF4UDU9EHF8RB9998TTR98RB8R8R8TR8RB9999E9EQF66999BEDUEDUEDUEBEDUDUDUDUDUBEBEHUQEEF5HHHQR8HEDTHE9B8QQQF5EEHE9EEDUBDTTRB8R66665QF5HHHI8UEEHHRBEEEEHF668R98TTU9DUEBE'
  }
}

/** ColorBrewer's Spectral of 11 classes, from the end that is blue; between them, straight lines. */
const spectral = '5e4fa23288bd66c2a5abdda4e6f598ffffbffee08bfdae61f46d43d53e4f9e0142'

export function colorTable(colormap: Colormap): ColorTable {
  const table = new Uint8Array(768)
  for (let channel = 0; channel < 3; channel++) {
    const entry = channelOf(colormap, channel)
    for (let i = 0; i < 256; i++) table[i * 3 + channel] = entry(i)
  }
  return table
}

/** The values of R, G or B, for 0, 1 and so on in turn; fractions are cut off. */
function channelOf(colormap: Colormap, channel: number): (i: number) => number {
  if (colormap === 'gray') return (i) => i
  if (colormap === 'spectral') {
    const knot = (k: number) => parseInt(spectral.slice(k * 6 + channel * 2).slice(0, 2), 16)
    return (i) => {
      const left = knot(Math.floor(i / 25.5))
      return left + (knot(Math.ceil(i / 25.5)) - left) * ((i / 25.5) % 1) + 0.5
    }
  }
  const { start, bends } = bent[colormap]
  let value = start[channel * 2]!
  let slope = start[channel * 2 + 1]!
  return (i) => {
    const now = value
    value += slope
    slope += ((bends.charCodeAt(channel * 85 + i / 3) - 48) >> (4 - (i % 3) * 2)) & 3
    slope--
    return now
  }
}

/** The values at the two ends of a colour table, dark and bright. Either may be the greater one. */
export interface DisplayEnds {
  far: number
  near: number
}

/** The greater inverse depth is nearer, the greater distance is farther. */
export function displayEnds({ min, max }: { min: number; max: number }, quantity: Quantity): DisplayEnds {
  return quantity === 'metric-depth' ? { far: max, near: min } : { far: min, near: max }
}

/** Colour `values` (any length) so that `far` gets entry 0 and `near` entry 255: RGB, three bytes a value, into `rgb`. */
export function colorize(
  values: ArrayLike<number>,
  { far, near }: DisplayEnds,
  table: ColorTable,
  rgb: Uint8Array = new Uint8Array(values.length * 3)
): Uint8Array {
  const scale = near === far ? 0 : 255 / (near - far)
  for (let i = 0; i < values.length; i++) {
    const entry = Math.min(255, Math.max(0, Math.round(((values[i] ?? 0) - far) * scale))) * 3
    rgb[i * 3] = table[entry] ?? 0
    rgb[i * 3 + 1] = table[entry + 1] ?? 0
    rgb[i * 3 + 2] = table[entry + 2] ?? 0
  }
  return rgb
}
