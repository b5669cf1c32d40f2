/** One way to carry frames to a worker and depth maps back, as the bench drives it. */
export interface Carrier {
  /** Prepare this many sessions; `onResult` is called for every depth map that comes back. */
  open(sessions: number, onResult: (session: number, seq: number) => void): Promise<void>
  send(session: number, seq: number): void
  close(): Promise<void>
}
