import { allowedGlobal, applyGlobal, refused, storageOf } from './pickle-globals.ts'
import type { PickleValue } from './pickle-values.ts'

/** Marks where a tuple, or the items of a dictionary, begin on the stack. */
const mark = Symbol('mark')
type StackItem = PickleValue | typeof mark

/**
 * Reads a pickle (protocol 2, as torch.save writes it) that holds only containers, scalars and tensors. Opcodes and
 * their numbers: https://github.com/python/cpython/blob/main/Lib/pickletools.py. Throws MODEL_FILE_INVALID with the
 * opcode or global at fault; nothing in the file is ever executed.
 */
export function unpickle(bytes: Uint8Array): PickleValue {
  const machine = new PickleMachine(bytes)
  while (!machine.done) machine.execute()
  return machine.result()
}

class PickleMachine {
  done = false
  private readonly buffer: Buffer
  private position = 0
  private readonly stack: StackItem[] = []
  private readonly memo = new Map<number, PickleValue>()

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  result(): PickleValue {
    return this.pop()
  }

  execute(): void {
    const opcode = this.take(1).readUInt8()
    const run = opcodes[opcode]
    if (run === undefined)
      throw refused(
        `uses the pickle opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${this.position - 1}`
      )
    run(this)
  }

  take(count: number): Buffer {
    const begin = this.position
    this.position += count
    if (this.position > this.buffer.length) throw refused('ends in the middle of its pickle')
    return this.buffer.subarray(begin, this.position)
  }

  line(): string {
    const end = this.buffer.indexOf(0x0a, this.position)
    if (end < 0) throw refused('ends in the middle of its pickle')
    const text = this.buffer.toString('utf8', this.position, end)
    this.position = end + 1
    return text
  }

  push(value: StackItem): void {
    this.stack.push(value)
  }

  pop(): PickleValue {
    const value = this.stack.pop()
    if (value === undefined || value === mark) throw refused('takes from an empty pickle stack')
    return value
  }

  peek(): PickleValue {
    const value = this.pop()
    this.stack.push(value)
    return value
  }

  popToMark(): PickleValue[] {
    const begin = this.stack.lastIndexOf(mark)
    if (begin < 0) throw refused('closes a group that it never opened')
    const values = this.stack.splice(begin).slice(1)
    return values as PickleValue[]
  }

  popTuple(size: number): void {
    const values = Array.from({ length: size }, () => this.pop())
    this.stack.push(values.reverse())
  }

  remember(key: number): void {
    this.memo.set(key, this.peek())
  }

  recall(key: number): void {
    const value = this.memo.get(key)
    if (value === undefined) throw refused(`recalls memo ${key}, which it never stored`)
    this.stack.push(value)
  }

  setItems(items: readonly PickleValue[]): void {
    const dictionary = this.peek()
    if (!(dictionary instanceof Map)) throw refused('sets an item of something that is not a dictionary')
    for (let index = 0; index + 1 < items.length; index += 2) dictionary.set(items[index]!, items[index + 1]!)
  }

  append(values: readonly PickleValue[]): void {
    const list = this.peek()
    if (!Array.isArray(list)) throw refused('appends to something that is not a list')
    for (const value of values) list.push(value)
  }
}

const opcodes: Readonly<Record<number, (machine: PickleMachine) => void>> = {
  0x80: (machine) => void machine.take(1), // PROTO
  0x2e: (machine) => void (machine.done = true), // STOP
  0x28: (machine) => machine.push(mark), // MARK
  0x4e: (machine) => machine.push(null), // NONE
  0x88: (machine) => machine.push(true), // NEWTRUE
  0x89: (machine) => machine.push(false), // NEWFALSE
  0x4b: (machine) => machine.push(machine.take(1).readUInt8()), // BININT1
  0x4d: (machine) => machine.push(machine.take(2).readUInt16LE()), // BININT2
  0x4a: (machine) => machine.push(machine.take(4).readInt32LE()), // BININT
  0x8a: (machine) => machine.push(readLong(machine.take(machine.take(1).readUInt8()))), // LONG1
  0x47: (machine) => machine.push(machine.take(8).readDoubleBE()), // BINFLOAT
  0x58: (machine) => machine.push(machine.take(machine.take(4).readUInt32LE()).toString('utf8')), // BINUNICODE
  0x29: (machine) => machine.push([]), // EMPTY_TUPLE
  0x5d: (machine) => machine.push([]), // EMPTY_LIST
  0x7d: (machine) => machine.push(new Map()), // EMPTY_DICT
  0x74: (machine) => machine.push(machine.popToMark()), // TUPLE
  0x85: (machine) => machine.popTuple(1), // TUPLE1
  0x86: (machine) => machine.popTuple(2), // TUPLE2
  0x87: (machine) => machine.popTuple(3), // TUPLE3
  0x61: (machine) => machine.append([machine.pop()]), // APPEND
  0x65: (machine) => machine.append(machine.popToMark()), // APPENDS
  0x73: (machine) => machine.setItems([machine.pop(), machine.pop()].reverse()), // SETITEM
  0x75: (machine) => machine.setItems(machine.popToMark()), // SETITEMS
  0x71: (machine) => machine.remember(machine.take(1).readUInt8()), // BINPUT
  0x72: (machine) => machine.remember(machine.take(4).readUInt32LE()), // LONG_BINPUT
  0x68: (machine) => machine.recall(machine.take(1).readUInt8()), // BINGET
  0x6a: (machine) => machine.recall(machine.take(4).readUInt32LE()), // LONG_BINGET
  0x63: (machine) => machine.push(allowedGlobal(`${machine.line()}.${machine.line()}`)), // GLOBAL
  0x51: (machine) => machine.push(storageOf(machine.pop())), // BINPERSID
  0x52: reduce, // REDUCE
  0x62: build // BUILD
}

function reduce(machine: PickleMachine): void {
  const args = machine.pop()
  machine.push(applyGlobal(machine.pop(), args))
}

/** torch sets `_metadata` on the ordered dictionary; attributes carry no weights and are dropped. */
function build(machine: PickleMachine): void {
  machine.pop()
  if (!(machine.peek() instanceof Map)) throw refused('sets attributes of something that is not a dictionary')
}

/** Little-endian two's complement; offsets of big files exceed 32 bits. */
function readLong(bytes: Buffer): number {
  const value = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0)
  return bytes.length > 0 && bytes[bytes.length - 1]! >= 128 ? value - 256 ** bytes.length : value
}
