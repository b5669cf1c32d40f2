/**
 * The states of a session's row.
 * opening: placed, its worker has not opened it yet. attached: served, a gateway holds it. detached: served, no gateway
 * holds it, until its grace ends. moving: served, and another worker has memory reserved to take it over. parked: its
 * worker keeps it outside device memory. leaving: its gateway or worker has ended it, its memory is not free yet.
 * lost: its worker is gone, and another may take it up. A session that is closed has no row.
 */
export const sessionStates = [
  ...(['opening', 'attached', 'detached', 'moving'] as const),
  ...(['parked', 'leaving', 'lost'] as const)
]
export type SessionState = (typeof sessionStates)[number]

type Arrows = Readonly<Partial<Record<SessionState, SessionState | 'closed'>>>

/**
 * Every change of a row, by the name of its method: from which states, and to which. Both stores follow this table (Redis'
 * scripts are handed the arrows of their change), and a model made from it is held against both. An arrow to "attached"
 * leads to "detached" where no gateway holds the session.
 */
export const sessionArrows = {
  settleSession: { opening: 'attached', attached: 'attached', detached: 'detached' },
  touchSession: {
    ...{ opening: 'opening', attached: 'attached', detached: 'detached' },
    ...{ moving: 'moving', parked: 'parked', leaving: 'leaving' }
  },
  takeSession: {
    attached: 'attached',
    detached: 'attached',
    moving: 'attached',
    parked: 'parked',
    lost: 'lost'
  },
  confirmSession: {
    ...{ attached: 'attached', detached: 'detached', moving: 'moving' },
    ...{ parked: 'parked', lost: 'lost' }
  },
  detachSession: {
    attached: 'detached',
    detached: 'detached',
    moving: 'moving',
    parked: 'parked',
    lost: 'lost'
  },
  replaceSession: { lost: 'attached', attached: 'attached', detached: 'attached', parked: 'attached' },
  /** By the worker that has it still. */
  restoreSession: { lost: 'attached' },
  /** A parked one stays parked until it is there. */
  beginMove: { attached: 'moving', detached: 'moving', moving: 'moving', parked: 'parked' },
  commitMove: { moving: 'attached', parked: 'attached' },
  abortMove: { moving: 'attached', attached: 'attached', detached: 'detached', parked: 'parked' },
  parkSession: { attached: 'parked', detached: 'parked', parked: 'parked' },
  unparkSession: { parked: 'attached', attached: 'attached', detached: 'detached' },
  leaveSession: {
    ...{ opening: 'leaving', attached: 'leaving', detached: 'leaving', moving: 'leaving' },
    ...{ parked: 'leaving', leaving: 'leaving', lost: 'closed' }
  },
  closeSession: {
    ...{ opening: 'closed', attached: 'closed', detached: 'closed', moving: 'closed' },
    ...{ parked: 'closed', leaving: 'closed' }
  },
  /** Its worker is gone, or could not keep it. */
  loseSession: {
    ...{ opening: 'lost', attached: 'lost', detached: 'lost', moving: 'lost' },
    ...{ parked: 'lost', leaving: 'closed' }
  }
} as const satisfies Record<string, Arrows>

export type SessionArrow = keyof typeof sessionArrows

/** Where an arrow leads from this row. */
export function follow(
  arrow: SessionArrow,
  row: { state: SessionState; gatewayId: string | null }
): SessionState | 'closed' | null {
  const to = (sessionArrows[arrow] as Arrows)[row.state] ?? null
  return to === 'attached' && row.gatewayId === null ? 'detached' : to
}

/** Of a row that its worker writes anew: a move that was under way is off. */
export function restoredState(row: { state: SessionState; gatewayId: string | null }): SessionState {
  if (row.state !== 'lost' && row.state !== 'moving') return row.state
  return row.gatewayId === null ? 'detached' : 'attached'
}
