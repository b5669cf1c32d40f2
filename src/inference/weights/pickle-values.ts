import type { ElementType } from './element-type.ts'

/** What a state dict's pickle may be made of; nothing in it can run code. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickledGlobal
  | PickledStorage
  | PickledTensor

export class PickledGlobal {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** Elements that live in a record of their own beside the pickle. */
export class PickledStorage {
  readonly type: ElementType
  readonly record: string
  constructor(type: ElementType, record: string) {
    this.type = type
    this.record = record
  }
}

/** A view on a storage; offset and strides count elements. */
export class PickledTensor {
  readonly storage: PickledStorage
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  constructor(storage: PickledStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage
    this.offset = offset
    this.shape = shape
    this.strides = strides
  }
}
