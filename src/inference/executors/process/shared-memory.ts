import { closeSync, ftruncateSync } from 'node:fs'
import koffi, { type KoffiFunc } from 'koffi'
import { LeadlineError } from '../../../errors.ts'
import { loadNative } from '../../../machine/native-library.ts'

/** Of <sys/mman.h>. */
const protReadWrite = 1 | 2
const mapShared = 1
const closeOnExec = 1

type NativeFunction = KoffiFunc<(...args: unknown[]) => unknown>

interface Libc {
  memfdCreate: NativeFunction
  mmap: NativeFunction
  munmap: NativeFunction
}

let libc: Libc | null = null

/**
 * Memory that a process and its child both see (memfd_create(2), mmap(2)). Pages are taken from the machine when they are
 * first touched, so that a large length costs nothing. Whoever made one closes it, when nobody looks into it any more.
 */
export class SharedMemory {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** To be handed to the child, which attaches to it. */
  readonly fd: number
  readonly #address: unknown
  #isClosed = false

  /** Null where the system has none, or not that much: then processes send each other copies. */
  static create(length: number): SharedMemory | null {
    if (process.platform !== 'linux') return null
    let fd = -1
    try {
      fd = functions().memfdCreate('leadline-frames', closeOnExec) as number
      if (fd < 0) return null
      ftruncateSync(fd, length)
      return new SharedMemory(fd, length)
    } catch {
      if (fd >= 0) closeSync(fd)
      return null
    }
  }

  /** That of the parent, whose file descriptor this process was given. */
  static attach(fd: number, length: number): SharedMemory {
    return new SharedMemory(fd, length)
  }

  private constructor(fd: number, length: number) {
    this.fd = fd
    this.#address = functions().mmap(null, length, protReadWrite, mapShared, fd, 0)
    // Failure is the address -1, in unsigned 64 bits.
    if (this.#address === 2n ** 64n - 1n) throw unmapped(length)
    this.bytes = new Uint8Array(koffi.view(this.#address, length))
  }

  /** Twice without harm. To look into it afterwards ends the process. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    functions().munmap(this.#address, this.bytes.byteLength)
    closeSync(this.fd)
  }
}

function unmapped(length: number): LeadlineError {
  const detail = `${length} bytes of address space for frames cannot be had; raise the limit (ulimit -v)`
  return new LeadlineError('EXECUTOR_FAILED', detail)
}

function functions(): Libc {
  if (libc) return libc
  const library = loadNative(null)
  libc = {
    memfdCreate: library.func('int memfd_create(const char *name, unsigned int flags)'),
    mmap: library.func('void *mmap(void *at, size_t length, int access, int flags, int fd, int64_t offset)'),
    munmap: library.func('int munmap(void *at, size_t length)')
  }
  return libc
}
