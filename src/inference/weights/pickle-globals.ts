import { LeadlineError } from '../../errors.ts'
import type { ElementType } from './element-type.ts'
import { PickledGlobal, PickledStorage, PickledTensor, type PickleValue } from './pickle-values.ts'

/** The allow-list. A pickle may name these and nothing else: each is data here, never code that is looked up. */
const orderedDict = 'collections.OrderedDict'
const rebuildTensor = 'torch._utils._rebuild_tensor_v2'
const rebuildParameter = 'torch._utils._rebuild_parameter'
const storageTypes: Readonly<Record<string, ElementType>> = {
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16'
}

export function allowedGlobal(name: string): PickledGlobal {
  if (![orderedDict, rebuildTensor, rebuildParameter].includes(name) && !Object.hasOwn(storageTypes, name))
    throw refused(`names the global ${name}, which a dictionary of float tensors does not need`)
  return new PickledGlobal(name)
}

/** The opcode REDUCE: a global applied to a tuple. */
export function applyGlobal(global: PickleValue, args: PickleValue): PickleValue {
  if (!(global instanceof PickledGlobal) || !Array.isArray(args))
    throw refused('calls something not callable')
  if (global.name === orderedDict && args.length === 0) return new Map()
  if (global.name === rebuildParameter && args[0] instanceof PickledTensor) return args[0]
  if (global.name === rebuildTensor) return tensorOf(args)
  throw refused(`calls ${global.name} with arguments that are not expected`)
}

function tensorOf([storage, offset, shape, strides]: readonly PickleValue[]): PickledTensor {
  if (!(storage instanceof PickledStorage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides))
    throw refused('describes a tensor without storage, offset, shape and strides')
  if (shape.length !== strides.length)
    throw refused(`describes a tensor of shape [${shape}] with strides [${strides}]`)
  return new PickledTensor(storage, offset, shape, strides)
}

/** The opcode BINPERSID: ('storage', type, record, device, element count). */
export function storageOf(id: PickleValue): PickledStorage {
  const [kind, type, record] = Array.isArray(id) ? id : []
  if (kind !== 'storage' || !(type instanceof PickledGlobal) || typeof record !== 'string')
    throw refused('refers to something that is not a storage')
  const elementType = storageTypes[type.name]
  if (elementType === undefined) throw refused(`gives a storage the type ${type.name}`)
  return new PickledStorage(elementType, record)
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isCounts(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.every(isCount)
}

export function refused(what: string): LeadlineError {
  return new LeadlineError(
    'MODEL_FILE_INVALID',
    `the checkpoint ${what}; save it with torch.save(model.state_dict(), path)`
  )
}
