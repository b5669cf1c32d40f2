import { readFileSync } from 'node:fs'
import importX from 'eslint-plugin-import-x'
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import tseslint from 'typescript-eslint'

/** Who may import whom: one row per room. A room is entered by its door, index.ts, and by nothing else. */
const zones = [
  {
    target: './src/api',
    from: './src/inference',
    message: 'An HTTP change must not be able to touch a device.'
  },
  { target: './src/api', from: './src/sessions', except: ['./index.ts'] },
  { target: './src/api', from: './src/video', except: ['./index.ts'] },
  { target: './src/api', from: './src/clips', except: ['./index.ts'] },
  {
    target: './src/clips',
    from: ['./src/api', './src/access', './src/inference', './src/client', './src/cli']
  },
  { target: './src/clips', from: './src/webhooks', except: ['./index.ts'] },
  { target: './src/clips', from: './src/depth-files', except: ['./index.ts'] },
  { target: './src/cli', from: './src/depth-files', except: ['./index.ts'] },
  {
    target: [
      './src/api',
      './src/access',
      './src/webhooks',
      './src/sessions',
      './src/inference',
      './src/client',
      './src/video',
      './src/web'
    ],
    from: './src/depth-files',
    message: 'What writes files is asked through clips and commands.'
  },
  { target: './src/depth-files', from: './src/video', except: ['./index.ts'] },
  {
    target: './src/depth-files',
    from: [
      './src/api',
      './src/access',
      './src/clips',
      './src/webhooks',
      './src/sessions',
      './src/inference',
      './src/client',
      './src/cli',
      './src/web'
    ]
  },
  { target: './src/api', from: './src/webhooks', except: ['./index.ts'] },
  {
    target: './src/webhooks',
    from: [
      './src/api',
      './src/access',
      './src/clips',
      './src/inference',
      './src/video',
      './src/client',
      './src/cli',
      './src/web'
    ]
  },
  { target: './src/webhooks', from: './src/sessions', except: ['./index.ts'] },
  {
    target: './src/usage',
    from: [
      './src/api',
      './src/access',
      './src/clips',
      './src/webhooks',
      './src/inference',
      './src/video',
      './src/client',
      './src/cli',
      './src/web'
    ]
  },
  { target: './src/usage', from: './src/sessions', except: ['./index.ts'] },
  {
    target: './src/!(api|usage)/**',
    from: './src/usage',
    message: 'What is to be counted is told to a Meter.'
  },
  { target: './src/api', from: './src/usage', except: ['./index.ts'] },
  { target: './src/clips', from: './src/sessions', except: ['./index.ts'] },
  { target: './src/clips', from: './src/video', except: ['./index.ts'] },
  { target: './src/api', from: './src/access', except: ['./index.ts'] },
  {
    target: './src/access',
    from: ['./src/api', './src/clips', './src/inference', './src/client', './src/video', './src/cli']
  },
  { target: './src/access', from: './src/sessions', except: ['./index.ts'] },
  {
    target: './src/sessions',
    from: ['./src/api', './src/access', './src/clips', './src/inference', './src/video', './src/client']
  },
  {
    target: './src/inference',
    from: ['./src/api', './src/access', './src/clips', './src/sessions', './src/video', './src/client']
  },
  {
    target: './src/client',
    from: [
      './src/api',
      './src/access',
      './src/clips',
      './src/webhooks',
      './src/sessions',
      './src/inference',
      './src/video',
      './src/cli'
    ]
  },
  {
    target: './src/video',
    from: [
      './src/api',
      './src/access',
      './src/clips',
      './src/webhooks',
      './src/sessions',
      './src/inference',
      './src/client',
      './src/cli'
    ]
  },
  { target: './src/cli', from: './src/clips', except: ['./index.ts'] },
  {
    target: './src/web',
    from: [
      './src/api',
      './src/access',
      './src/sessions',
      './src/inference',
      './src/video',
      './src/cli',
      './src/clips'
    ],
    message: 'The page stands on the SDK alone.'
  },
  { target: './src/web', from: './src/client', except: ['./index.ts', './clips/index.ts'] },
  {
    target: './conformance',
    from: ['./src', './test', './bench', './scripts'],
    message: 'A server is not held to its own code.'
  },
  { target: './src/!(web)/**', from: './src/web', message: 'It runs in browsers.' },
  { target: './src/cli', from: './src/api', except: ['./index.ts'] },
  { target: './src/cli', from: './src/access', except: ['./index.ts'] },
  { target: './src/cli', from: './src/sessions', except: ['./index.ts'] },
  { target: './src/cli', from: './src/inference', except: ['./index.ts'] },
  { target: './src/cli', from: './src/client', except: ['./index.ts', './clips/index.ts'] },
  { target: './src/cli', from: './src/video', except: ['./index.ts'] },
  {
    target: [
      './src/wire',
      './src/maps',
      './src/machine',
      './src/metering',
      './src/tracing',
      './src/config.ts',
      './src/deferred.ts',
      './src/environment.ts',
      './src/error-titles.ts',
      './src/errors.ts',
      './src/frame-engine.ts',
      './src/latest-slot.ts',
      './src/manifest.ts',
      './src/model-runs.ts',
      './src/offered-bytes.ts',
      './src/parse-size.ts',
      './src/session.ts'
    ],
    from: [
      './src/api',
      './src/access',
      './src/clips',
      './src/usage',
      './src/webhooks',
      './src/sessions',
      './src/inference',
      './src/client',
      './src/video',
      './src/cli',
      './src/web'
    ],
    message: 'A leaf imports no room.'
  }
]

/** Rooms inside rooms, top floor first: a file imports from its own floor and from those below it. */
const floors = Object.entries(
  JSON.parse(readFileSync(new URL('rooms.json', import.meta.url), 'utf8'))
).flatMap(([room, names]) =>
  names.slice(1).map((name, below) => ({
    target: `./${room}/${name}`,
    from: names.slice(0, below + 1).map((above) => `./${room}/${above}`),
    message: 'It lies on a lower floor; see rooms.json.'
  }))
)

const only = (modules, message) => ({
  'no-restricted-imports': ['error', { paths: modules.map((name) => ({ name, message })) }]
})

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'models', 'out', 'bench/results'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.{ts,js,mjs}'],
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones: [...zones, ...floors] }],
      'import-x/no-cycle': 'error',
      'max-len': [
        'error',
        { code: 140, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true }
      ],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }]
    }
  },
  {
    files: ['src/api/**', 'src/client/**', 'src/video/**'],
    rules: only(['ioredis', 'bullmq', 'onnxruntime-node'], 'Not in this room.')
  },
  { files: ['src/usage/**'], rules: only(['fastify', 'ws', 'onnxruntime-node'], 'Not in this room.') },
  { files: ['src/webhooks/**'], rules: only(['fastify', 'ws', 'onnxruntime-node'], 'Not in this room.') },
  { files: ['src/clips/**'], rules: only(['fastify', 'ws', 'onnxruntime-node'], 'Not in this room.') },
  {
    files: ['src/sessions/**'],
    rules: only(['fastify', 'ws', 'sharp', 'onnxruntime-node'], 'Not in this room.')
  },
  { files: ['src/inference/**'], rules: only(['fastify', 'ws', 'ioredis', 'bullmq'], 'Not in this room.') },
  {
    files: ['src/cli/**', 'src/cli.ts', 'scripts/**', 'bench/**', 'conformance/run.ts'],
    rules: { 'no-console': 'off' }
  }
)
