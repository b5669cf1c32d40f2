import type { Bench } from '../bench.ts'
import type { Check } from '../check.ts'
import { equal, holds, skip } from '../check.ts'
import { Refused } from '../peer.ts'
import type { Shown } from '../peer.ts'

/** How the server refuses this handshake; null: it does not. */
async function refusal(
  bench: Bench,
  shown: Shown,
  asWhom: 'client' | 'nobody' = 'client'
): Promise<Refused | null> {
  try {
    await (asWhom === 'client' ? bench.connect(shown) : bench.connectAs(shown))
    return null
  } catch (error) {
    if (error instanceof Refused) return error
    throw error
  }
}

function expectProblem(refused: Refused | null, status: number, code: string): void {
  holds(refused !== null, 'the handshake was accepted')
  equal(refused.status, status, 'the HTTP status')
  holds(
    refused.headers['content-type']?.includes('application/problem+json') === true,
    `the answer is ${refused.headers['content-type']} instead of application/problem+json`
  )
  equal((JSON.parse(refused.body) as { code?: string }).code, code, 'the code of the problem')
}

/** `fetch` hides what this is about. */
function httpUrl({ target }: Bench): URL {
  return new URL(target.url.href.replace(/^ws/, 'http'))
}

/** Communication: who is let in, and how the others are sent away. */
export const handshakes: Check[] = [
  {
    clause: 'C1',
    says: 'the server chooses leadline.v1 of what is offered',
    async try(bench) {
      const peer = await bench.connect({ protocols: ['other.v9', 'leadline.v1'] })
      equal(peer.subprotocol, 'leadline.v1', 'the subprotocol')
    }
  },
  {
    clause: 'C1',
    says: 'a handshake without leadline.v1 gets 400 and a problem',
    async try(bench) {
      expectProblem(await refusal(bench, { protocols: ['graphql-ws'] }), 400, 'REQUEST_INVALID')
    }
  },
  {
    clause: 'C1',
    says: 'a request without an upgrade gets 426',
    async try(bench) {
      const answer = await fetch(httpUrl(bench), { headers: bench.credentials })
      equal(answer.status, 426, 'the HTTP status')
      equal(((await answer.json()) as { code?: string }).code, 'UPGRADE_REQUIRED', 'the code of the problem')
    }
  },
  {
    clause: 'C1',
    says: 'a page of a foreign site gets 403',
    async try(bench) {
      const refused = await refusal(bench, { headers: { origin: 'https://conformance.invalid' } })
      if (refused === null) skip('the operator lets in pages of all sites')
      expectProblem(refused, 403, 'ORIGIN_FORBIDDEN')
    }
  },
  {
    clause: 'C1',
    says: 'a foreign Host gets 403',
    async try(bench) {
      const refused = await refusal(bench, { headers: { host: 'conformance.invalid' } })
      if (refused === null) skip('the operator lets the server be called by any name')
      expectProblem(refused, 403, 'HOST_FORBIDDEN')
    }
  },
  {
    clause: 'C9',
    says: 'without a key, or with a wrong one, the handshake gets 401',
    async try(bench) {
      const without = await refusal(bench, {}, 'nobody')
      if (without === null) skip('the server asks for no keys')
      expectProblem(without, 401, 'UNAUTHENTICATED')
      const headers = { authorization: `Bearer lk_${'0'.repeat(40)}` }
      expectProblem(await refusal(bench, { headers }, 'nobody'), 401, 'UNAUTHENTICATED')
    }
  },
  {
    clause: 'C9',
    says: 'a ticket opens one stream, and leadline.v1 is chosen',
    async try(bench) {
      if (bench.target.key === null) skip('tickets are for those who have a key; give one with LEADLINE_KEY')
      const url = new URL(httpUrl(bench).href.replace(/\/v1\/stream$/, '/v1/tickets'))
      const answer = await fetch(url, { method: 'POST', headers: bench.credentials })
      const { ticket } = (await answer.json()) as { ticket?: string }
      holds(ticket !== undefined, `POST /v1/tickets gave no ticket, but ${answer.status}`)
      const protocols = ['leadline.v1', `leadline.ticket.${ticket}`]
      const peer = await bench.connectAs({ protocols })
      equal(peer.subprotocol, 'leadline.v1', 'the subprotocol')
      expectProblem(await refusal(bench, { protocols }, 'nobody'), 401, 'UNAUTHENTICATED')
    }
  }
]
