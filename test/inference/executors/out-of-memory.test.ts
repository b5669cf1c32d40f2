import { expect, test } from 'vitest'
import { isOutOfMemory } from '../../../src/inference/executors/out-of-memory.ts'

test.each([
  'Available memory of 1048576 is smaller than requested bytes of 4194304',
  'Failed to allocate memory for requested buffer of size 4503599627370496',
  'BFC Arena ran out of memory trying to allocate 4194304.  Current allocation summary follows.',
  'Memory allocation failed. Size=4194304',
  'CUDA failure 2: out of memory ; GPU=0',
  'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED',
  'CUDNN failure 4003: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED',
  'cudaErrorMemoryAllocation',
  'vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY',
  'std::bad_alloc'
])('"%s" is of memory', (message) => {
  expect(isOutOfMemory(message)).toBe(true)
})

test.each([
  'Exiting due to terminate flag being set to true.',
  'Failed to load library',
  'Size mismatch:3!=2'
])('"%s" is not', (message) => {
  expect(isOutOfMemory(message)).toBe(false)
})
