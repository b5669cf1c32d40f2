/**
 * Threads for libuv, which decodes and resizes pictures on its own four, however many of ours wait for them. It starts
 * them when Node reads a file beside the event loop, as it does for every ES module: so this is CommonJS, and required
 * before anything is imported. One for each core, and the four for files and names.
 */
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { availableParallelism } = require('node:os')

process.env.UV_THREADPOOL_SIZE ??= String(availableParallelism() + 4)
