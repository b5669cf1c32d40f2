import type { FastifyRequest } from 'fastify'

/**
 * What a line of the log says of a request: not who sent it, and no secret, also where a client put one into the URL although
 * nothing there asks for one: keys, whatever is as long as a key, a ticket or a resume token, and other addresses, whose paths may
 * be as good as one.
 */
export const logSerializers = {
  req: ({ method, url, host }: FastifyRequest) => ({
    method,
    url: url.replace(/=[a-z]+(?::|%3a)(?:\/|%2f)[^&]*/gi, '=…').replace(/lk_[\w-]*|[\w%-]{40,}/g, '…'),
    host
  })
}
