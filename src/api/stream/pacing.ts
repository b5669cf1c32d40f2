import type { ServerMessage } from '../../wire/protocol.ts'
import type { Delivery } from '../../session.ts'
import { RateAdvisor } from './rate-advisor.ts'

/** Is told of the frames of a session, and tells the client how fast to send them. */
export interface Pacing {
  accepted(): void
  settled(hasDepth: boolean): void
}

/** Null: the client asked for none. */
export function pacingOf(delivery: Delivery, say: (message: ServerMessage) => void): Pacing | null {
  if (delivery !== 'adaptive') return null
  const advisor = new RateAdvisor()
  return {
    accepted: () => {
      const advice = advisor.accepted()
      if (advice !== null) say({ type: 'advice', ...advice })
    },
    settled: (hasDepth) => advisor.settled(hasDepth, performance.now())
  }
}
