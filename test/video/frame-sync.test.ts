import { expect, test } from 'vitest'
import { syncOption } from '../../src/video/frame-sync.ts'

test.each([
  ['ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright (c) 2000-2021', '-vsync'],
  ['ffmpeg version n5.0.1 Copyright', '-vsync'],
  ['ffmpeg version 5.1.9-0+deb12u1 Copyright', '-fps_mode'],
  ['ffmpeg version 7.1 Copyright', '-fps_mode'],
  ['ffmpeg version 10.0 Copyright', '-fps_mode'],
  ['ffmpeg version N-118000-g0123456789 Copyright', '-fps_mode'],
  ['', '-fps_mode']
])('%s passes frames on with %s', (version, option) => {
  expect(syncOption(version)).toBe(option)
})
