import { stdSerializers } from 'pino'

/**
 * What a line of the log says of a failure: what it is, what it says and where it came from, and nothing that a library hung on it
 * beside: a reply of Redis carries its command, with passwords, tokens and addresses as arguments.
 */
function loggedError(error: unknown): object {
  return error instanceof Error ? factsOf(stdSerializers.err(error)) : { message: String(error) }
}

function factsOf(error: ReturnType<typeof stdSerializers.err>): object {
  const { aggregateErrors, message, stack, type } = error
  return {
    ...{ type, message: withoutArguments(message), stack: withoutArguments(stack) },
    ...(typeof error['code'] === 'string' && { code: error['code'] }),
    ...(aggregateErrors && { aggregateErrors: aggregateErrors.map(factsOf) })
  }
}

/** Redis cites the arguments of a command that it does not know. */
function withoutArguments(text: string): string {
  return text.replace(/, with args beginning with: .*/g, '')
}

/** Of every service's log. A reason is the message of a failure. */
export const logSerializers = {
  err: loggedError,
  reason: (reason: unknown) => (typeof reason === 'string' ? withoutArguments(reason) : reason)
}
