import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Native code (ONNX Runtime, libvips) and child processes: one process per test file, never a thread.
    pool: 'forks',
    // Where an executor runs in the test's own process; the product sees to its own.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    maxWorkers: 2,
    // For what hangs, not for what is slow: a start of a process takes many seconds on a machine that is busy elsewhere.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 90_000, interval: 20 } },
    // The models' Python tests are run by pytest.
    exclude: ['models/**', 'node_modules/**']
  }
})
