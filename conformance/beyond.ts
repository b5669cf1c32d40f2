/** Clauses that no client can try on a server that it does not operate, and why. */
export const beyond: Record<string, string> = {
  M23: 'servers ask for the past only when they have lost a worker or a gateway',
  M24: 'whether device memory is scarce is up to other sessions; X13 sees it where the operator parks the idle',
  M25: 'only an operator can make a server leave',
  M31: 'whether a server is slower than its client is up to both; the form of advice is checked where it comes',
  R4: 'it bounds memory by many MiB of outcomes that were not acknowledged',
  F4: 'what the network between holds is not known, and SLOW_CONSUMER takes half a minute beyond it',
  X8: 'only an operator can lose a worker',
  X11: 'only an operator can move a session',
  X12: 'only an operator can move a session',
  X14: 'only an operator can make a server leave',
  X18: 'only an operator can lose a worker',
  X19: 'only an operator can lose a worker'
}
