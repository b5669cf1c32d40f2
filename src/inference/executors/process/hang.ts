import type { CallTime } from './call-times.ts'

/** What a process is seen doing at one moment. */
export interface Look {
  /** Processor time that all its threads have used so far, in milliseconds; the kernel counts by 10. */
  cpuMs: number
  /** runnable: some thread runs, or would if it got a processor. blocked: none, and some waits for a disk or a driver. */
  threads: 'runnable' | 'asleep' | 'blocked'
}

/** What has been seen of a process since its call has taken as long as usual. */
export interface Suspicion {
  /** Processor time at the first look. */
  firstCpuMs: number
  last: Look
  /** How long the call had been watched when the process was last seen doing anything. */
  activeAtMs: number
}

/** How long past the usual a call may take before a process that does nothing counts as hung, in milliseconds. */
const patienceMs = 900
/** No call is judged before this. */
const floorMs = 1_000
/** How long nothing may happen inside: one look may find a working process between two bits of work. */
const quietMs = { asleep: 500, blocked: 5_000 }
/** Processor time that a call may use past the usual. */
const spareCpuMs = 1_000
/** A contended processor does the same work in more of its time. */
const cpuFactor = 3
/** Where a process cannot be looked into, time must do; nobody knows whether it got a processor. */
const blind = { floorMs: 10_000, factor: 10 }

/**
 * Of a call that nobody can say how long it takes, such as building TensorRT's engines: it may take as long as it does
 * anything at all.
 */
export interface Stillness {
  /** How long it may do nothing, in milliseconds. */
  stillMs: number
}

export function suspect(before: Suspicion | null, look: Look, watchedMs: number): Suspicion {
  if (!before) return { firstCpuMs: look.cpuMs, last: look, activeAtMs: watchedMs }
  const isActive = look.threads === 'runnable' || look.cpuMs > before.last.cpuMs
  return { ...before, last: look, activeAtMs: isActive ? watchedMs : before.activeAtMs }
}

/**
 * Why a process that has not answered counts as hung; null while it does not. A process that would work if it got a
 * processor is waited for, however long; one that does nothing has stopped, and one that has used far more processor time
 * than such a call takes will never end.
 */
export function whyHung(
  { firstCpuMs, last, activeAtMs }: Suspicion,
  usual: CallTime,
  watchedMs: number
): string | null {
  const usedMs = last.cpuMs - firstCpuMs
  if (usedMs > usual.cpuMs * cpuFactor + spareCpuMs)
    return `used ${Math.round(usedMs)} ms of processor time more than the usual ${Math.round(usual.cpuMs)} ms`
  if (last.threads === 'runnable' || watchedMs < Math.max(floorMs, usual.wallMs + patienceMs)) return null
  return whyStill({ last, activeAtMs }, { stillMs: quietMs[last.threads] }, watchedMs)
}

/** The same of a call that may take any time. */
export function whyStill(
  { last, activeAtMs }: Pick<Suspicion, 'last' | 'activeAtMs'>,
  { stillMs }: Stillness,
  watchedMs: number
): string | null {
  const idleMs = watchedMs - activeAtMs
  return idleMs < stillMs ? null : `did nothing for ${Math.round(idleMs)} ms, ${last.threads}`
}

/** Both where processes cannot be looked into. */
export function whyHungBlind(patience: { usual: CallTime } | Stillness, watchedMs: number): string | null {
  const expectedMs = 'stillMs' in patience ? patience.stillMs : patience.usual.wallMs
  const limitMs = Math.max(blind.floorMs, blind.factor * expectedMs)
  return watchedMs < limitMs ? null : `gave no answer for ${Math.round(watchedMs)} ms`
}
