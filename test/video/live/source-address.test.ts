import { expect, test } from 'vitest'
import { describeAddress, liveAddress } from '../../../src/video/index.ts'

test.each([
  ['rtsp://cam/1', { kind: 'rtsp', url: 'rtsp://cam/1' }],
  ['RTSPS://cam', { kind: 'rtsp', url: 'RTSPS://cam' }],
  ['https://host/live.m3u8', { kind: 'http', url: 'https://host/live.m3u8' }],
  ['/dev/video2', { kind: 'camera', device: '/dev/video2' }],
  ['-', { kind: 'pipe' }],
  ['clip.mp4', null],
  ['/dev/null', null],
  ['C:\\clips\\a.mp4', null]
])('%s is known by its spelling', (text, address) => {
  expect(liveAddress(text)).toEqual(address)
})

test.each([
  [
    'rtmp://user:secret@host/app',
    /^rtmp:\/\/host\/app: rtmp:\/\/ cannot be read; what can are .*ffmpeg -i … -f nut -/
  ],
  ['file:///etc/passwd', /file:\/\/ cannot be read/],
  ['rtsp://', /is not a whole address/]
])('%s is refused with what to do, and without a password', (text, message) => {
  expect(() => liveAddress(text)).toThrow(message)
  expect(() => liveAddress(text)).not.toThrow(/secret/)
})

test('an address is shown without name, password and query', () => {
  const shown = (text: string) => describeAddress(liveAddress(text)!)
  expect(shown('rtsp://admin:p@ss@cam:554/h264?user=a&password=b')).toBe('rtsp://cam:554/h264')
  expect(shown('rtsp://admin:secret@cam:554/h264')).toBe('rtsp://cam:554/h264')
  expect(shown('-')).toBe('standard input')
  expect(shown('/dev/video0')).toBe('/dev/video0')
})
