import { BlockList, isIPv6 } from 'node:net'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { AddressHold, AddressLimits } from '../../access/index.ts'
import { AddressGate } from '../../access/index.ts'
import { LeadlineError } from '../../errors.ts'

export interface AddressOptions {
  limits: AddressLimits
  /** Addresses and networks whose connections are those of others. */
  trustedProxies: readonly string[]
  /** Answer a connection that sends no request. */
  refuse(failure: LeadlineError, socket: Socket): void
}

/** What is known of the connections by their addresses. */
export interface Addresses {
  /** Whoever sends requests by this connection has shown who they are, and what is wanted. */
  prove(socket: Socket): void
}

const settings: Record<keyof AddressLimits, { what: string; setting: string }> = {
  connections: { what: 'connections', setting: 'LEADLINE_MAX_CONNECTIONS_PER_ADDRESS' },
  unproven: {
    what: 'connections that have not said what they want',
    setting: 'LEADLINE_MAX_UNPROVEN_PER_ADDRESS'
  }
}

/**
 * Bound what one address has of a server before anybody knows who it is: connections, and those of them that have asked for
 * nothing yet. Those of a proxy that is named count as its clients', by the streams that they open.
 */
export function boundAddresses(app: FastifyInstance, options: AddressOptions): Addresses {
  const { limits, trustedProxies, refuse } = options
  const gate = new AddressGate(limits)
  const proxies = listOf(trustedProxies)
  const holds = new WeakMap<Socket, AddressHold>()

  function enter(address: string, socket: Socket): LeadlineError | null {
    const entered = gate.enter(address)
    if (typeof entered === 'string') {
      const { what, setting } = settings[entered]
      const detail = `An address may have ${limits[entered]} ${what} at once; close one (${setting}), and behind a proxy see LEADLINE_TRUST_PROXY`
      return new LeadlineError('LIMIT_REACHED', detail)
    }
    holds.set(socket, entered)
    socket.once('close', () => entered.leave())
    return null
  }

  app.server.on('connection', (socket) => {
    const address = socket.remoteAddress
    // A request for another protocol than WebSocket is given to the server anew, by the same connection.
    if (address === undefined || holds.has(socket) || has(proxies, address)) return
    const failure = enter(address, socket)
    if (failure !== null) refuse(failure, socket)
  })
  app.addHook('onRequest', async ({ ws, ip, raw: { socket } }) => {
    if (!ws || holds.has(socket)) return
    const failure = enter(ip, socket)
    if (failure !== null) throw failure
  })
  return { prove: (socket) => holds.get(socket)?.prove() }
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}

function has(list: BlockList, address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  return list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
}
