import { LeadlineError } from '../errors.ts'

/**
 * Throws MESSAGE_MALFORMED unless a value is a T. `where` is its JSON pointer. The phantom keeps T exact: a check of more or
 * of less than a type is no check of it.
 */
export type Check<T> = ((value: unknown, where: string) => void) & { readonly of?: (exact: T) => T }

/** A check of each member of T; those that may be absent say so. */
export type Members<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K>
    ? Check<Exclude<T[K], undefined> | undefined>
    : Check<T[K]>
}

function wanted<T>(what: string, isRight: (value: unknown) => boolean): Check<T> {
  return (value, where) => {
    if (isRight(value)) return
    const found = (JSON.stringify(value) ?? 'missing').slice(0, 80)
    throw new LeadlineError('MESSAGE_MALFORMED', `${where} is ${found}; it must be ${what}`)
  }
}

export const text = wanted<string>('a string', (value) => typeof value === 'string')
export const truth = wanted<boolean>('true or false', (value) => typeof value === 'boolean')
export const number = wanted<number>('a number', Number.isFinite)
export const integer = wanted<number>('a whole number', Number.isInteger)

export function shortText(maxLength: number): Check<string> {
  const isRight = (value: unknown) => typeof value === 'string' && value.length <= maxLength
  return wanted(`a string of at most ${maxLength} characters`, isRight)
}

/** The words of a union, each once: the compiler asks for every one. */
export function oneOf<T extends string>(words: Record<T, true>): Check<T> {
  const isRight = (value: unknown) => typeof value === 'string' && Object.hasOwn(words, value)
  return wanted(`one of ${Object.keys(words).join(', ')}`, isRight)
}

export function nullable<T>(check: Check<T>): Check<T | null> {
  return (value, where) => {
    if (value !== null) check(value, where)
  }
}

export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, where) => {
    if (value !== undefined) check(value, where)
  }
}

/** Members that are not named are passed over: a newer server may send more. */
export function object<T extends object>(members: Members<T>): Check<T> {
  return (value, where) => {
    isObject(value, where)
    for (const name of Object.keys(members) as (keyof T & string)[])
      members[name]((value as Partial<T>)[name], `${where}/${name}`)
  }
}

const isObject = wanted<object>('an object', (value) => typeof value === 'object' && value !== null)
