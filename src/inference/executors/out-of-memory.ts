/** How ONNX Runtime, its arenas, CUDA, cuBLAS, cuDNN, Vulkan and C++ say that memory is out: there is no status for it. */
const phrases = [
  /out[ _]?of[ _]?((host|device)[ _])?memory/i,
  /failed to allocate/i,
  /memory allocation failed/i,
  /available memory of \d+ is smaller than requested bytes/i,
  /alloc(ation)?_failed/i,
  /MemoryAllocation/,
  /bad_?alloc/i
]

/** Whether a native failure, in its own words, is one of memory: with less work at once it may succeed. */
export function isOutOfMemory(message: string): boolean {
  return phrases.some((phrase) => phrase.test(message))
}
