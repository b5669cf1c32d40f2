/**
 * To be loaded with --import: SIGUSR2 makes the process write where it may not, in native code, and SIGCONT has it fail in
 * a way that nobody foresaw.
 */
import koffi from 'koffi'

// Loaded late: koffi is set up by whoever loads the first library, and that is not to be this.
process.on('SIGUSR2', () =>
  koffi.load(null).func('void *memset(size_t at, int value, size_t length)')(8, 1, 8)
)
process.on('SIGCONT', () => void Promise.reject(new Error('nobody foresaw this')))
