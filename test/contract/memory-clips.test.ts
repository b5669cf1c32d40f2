import { describe } from 'vitest'
import { MemoryClipBook } from '../../src/clips/books/memory-clip-book.ts'
import { MemoryIdempotencyBook } from '../../src/clips/books/memory-idempotency-book.ts'
import { MemoryClipQueue } from '../../src/clips/queue/memory-clip-queue.ts'
import { clipBookSuite, idempotencySuite } from './clip-book.suite.ts'
import { clipQueueSuite } from './clip-queue.suite.ts'

describe('the book in memory', () => clipBookSuite(async () => new MemoryClipBook()))

describe('the queue in memory', () => clipQueueSuite(async () => new MemoryClipQueue()))

describe('the book of requests in memory', () => idempotencySuite(async () => new MemoryIdempotencyBook()))
