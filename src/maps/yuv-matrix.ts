/** The matrices by which a picture's luma and chroma were made of red, green and blue. */
export type YuvMatrix = 'bt601' | 'bt709'

/**
 * Which of them a picture has that does not say: BT.709 for what is wider or higher than standard definition, as mpv and
 * other players have it. One rule for clips, live frames and the commands.
 */
export function silentMatrix({ width, height }: { width: number; height: number }): YuvMatrix {
  return width >= 1280 || height > 576 ? 'bt709' : 'bt601'
}
