import type { Command } from 'commander'

/** What to type, by command: shown under its help. */
export const examples: Readonly<Record<string, readonly string[]>> = {
  serve: ['leadline serve', 'leadline serve --host 0.0.0.0 --port 8042 --model vda-small --warmup'],
  gateway: ['leadline gateway --redis redis://127.0.0.1:6379 --port 8042'],
  worker: ['leadline worker --redis redis://127.0.0.1:6379 --model vda-small'],
  stream: [
    'leadline stream rtsp://user:password@camera/1 --serve-mjpeg 8090',
    'leadline stream /dev/video0 --seconds 10 --side-by-side camera.mp4',
    'leadline stream walk.mp4 --url 192.168.1.20:8042 --out walk.npz --format f32',
    'ffmpeg -i input.mov -f nut - | leadline stream - --out depth.mp4'
  ],
  clip: [
    'leadline clip walk.mp4 --mode offline --results depth.mp4,npz --out-dir out',
    'leadline clip walk.mp4 --results ply.zip --fov 70'
  ],
  'keys create': ['leadline keys create camera-1 --scopes stream --expires 90d --limit sessions=2'],
  'keys list': ['leadline keys list'],
  'keys revoke': ['leadline keys revoke camera-1'],
  'clips list': ['leadline clips list --state running'],
  'clips cancel': ['leadline clips cancel 5d1f2c9e-8a34-4b6f-9c0e-71d2a5b8e043'],
  'clips delete': ['leadline clips delete 5d1f2c9e-8a34-4b6f-9c0e-71d2a5b8e043 --url 127.0.0.1:8042'],
  'webhooks list': ['leadline webhooks list'],
  'webhooks resend': ['leadline webhooks resend 5d1f2c9e-8a34-4b6f-9c0e-71d2a5b8e043'],
  'webhooks secret': ['leadline webhooks secret --key-file admin.key'],
  record: ['leadline record bug.jsonl --url 127.0.0.1:8042 --port 9000'],
  replay: ['leadline replay bug.jsonl', 'leadline replay bug.jsonl --url 127.0.0.1:8042 --real-time'],
  'sessions list': [
    'leadline sessions list --url 127.0.0.1:8042',
    'leadline sessions list --json | jq .state'
  ],
  'sessions end': ['leadline sessions end s_5d1f2c9e-8a34-4b6f-9c0e-71d2a5b8e043'],
  top: [
    'leadline top',
    'leadline top --url host:8042 --once | jq .total',
    'leadline top --url a:8042 --url b:8042'
  ],
  bench: [
    'leadline bench 127.0.0.1:8042',
    'leadline bench host:8042 --sessions 8 --fps 30 --seconds 60 --video walk.mp4'
  ],
  usage: ['leadline usage --from 2026-01-01 --to 2026-01-31 --csv > january.csv'],
  drain: ['leadline drain 5d1f2c9e-8a34-4b6f-9c0e-71d2a5b8e043'],
  rebalance: ['leadline rebalance --dry-run'],
  'models list': ['leadline models list'],
  'models add': ['leadline models add vda-small', 'leadline models add video_depth_anything_vits.pth'],
  'models remove': ['leadline models remove vda-small'],
  'models compile': ['leadline models compile vda-small --frames 1920x1080,640x480'],
  'models verify': ['leadline models verify golden/vda-small'],
  eval: ['leadline eval --data MPI-Sintel --layout sintel-final --model vda-small'],
  doctor: ['leadline doctor'],
  demo: ['leadline demo', 'leadline demo --video walk.mp4 --out-dir out']
}

/** Under the help of a command and of those in it; `words`: how it is called. */
export function addExamples(command: Command, words: readonly string[] = []): void {
  const found = examples[words.join(' ')]
  if (found !== undefined)
    command.addHelpText('after', `\nExamples:\n${found.map((line) => `  ${line}`).join('\n')}`)
  for (const child of command.commands) addExamples(child, [...words, child.name()])
}
