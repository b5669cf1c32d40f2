/**
 * Every key in Redis, with its type, life and owner. The braces are Redis Cluster's hash tag: all keys of one prefix
 * lie in one slot, because scripts change a worker's row and a session's row together. More than one Redis can carry is
 * served by more prefixes (cells), never by splitting one.
 */
export class Keys {
  readonly #base: string

  constructor(prefix: string) {
    this.#base = `{${prefix}}`
  }

  /** set of worker ids; TTL 10 min, renewed by every worker. Holds an id until its sessions are accounted for. */
  workers(): string {
    return `${this.#base}:workers`
  }

  /** hash, the worker's row; TTL 3 s, renewed by the worker. Its existence is the lease. */
  worker(id: string): string {
    return `${this.#base}:worker:${id}`
  }

  /**
   * set of the ids of the sessions on a worker; TTL 10 min, renewed by the worker, so that it outlives the row and the
   * sessions can be told lost.
   */
  workerSessions(id: string): string {
    return `${this.worker(id)}:sessions`
  }

  /** set of the ids of lost sessions; lives as long as the last of their rows. What is lost no more is left out by its reader. */
  lostSessions(): string {
    return `${this.#base}:lost`
  }

  /** string, how often it was renewed; TTL 5 s, renewed by the gateway. */
  gateway(id: string): string {
    return `${this.#base}:gateway:${id}`
  }

  /** stream, sessions on their way to a worker; TTL 30 s, renewed by the worker. Appended by gateways, trimmed by the worker. */
  inbox(workerId: string): string {
    return `${this.worker(workerId)}:inbox`
  }

  /** hash, the session's row; removed at close, TTL 10 min, renewed by the worker. Written by gateway (open) and worker. */
  session(id: string): string {
    return `${this.#base}:session:${id}`
  }

  /** string, empty; TTL 60 s. Says that a lost session is over, to a worker that still holds it. Written by whoever left it. */
  over(sessionId: string): string {
    return `${this.session(sessionId)}:over`
  }

  /**
   * stream, commands on their way to the worker; TTL 30 s, renewed by the worker. It exists exactly while a turn is
   * queued or runs. Ids are `<token>-<n>`, n rising by one. Appended by the gateway, trimmed and removed by the worker.
   * While a session moves there are two workers to it.
   */
  mailbox(sessionId: string, workerId: string): string {
    return `${this.session(sessionId)}:in:${workerId}`
  }

  /**
   * stream, events on their way from this worker to the gateway that holds the session by this token; TTL 30 s, renewed by the worker,
   * trimmed and removed by the gateway.
   */
  outbound(sessionId: string, workerId: string, token: number): string {
    return `${this.session(sessionId)}:out:${workerId}:${token}`
  }

  /** string, empty; TTL 5 s. Says to the worker that the gateway reads this outbound stream no more. Written by the gateway. */
  ended(outbound: string): string {
    return `${outbound}:ended`
  }

  /** stream, tells a process that reads streams which of them has something; TTL 60 s, renewed by that process. */
  bell(readerId: string): string {
    return `${this.#base}:reader:${readerId}:bell`
  }

  /** What BullMQ puts before the names of its queues, one queue per worker. TTL 10 min from when it is written, renewed by the worker. */
  turnPrefix(): string {
    return `${this.#base}:turns`
  }

  /** What the keys of a worker's queue start with. */
  turnBase(workerId: string): string {
    return `${this.turnPrefix()}:${workerId}:`
  }

  /** hash, access keys by id; no TTL: until the operator removes it. Written by `leadline keys`, read by gateways. */
  accessKeys(): string {
    return `${this.#base}:access:keys`
  }

  /** hash, when access keys were revoked, by id, in ms since 1970; no TTL, as the keys. Written by `leadline keys`. */
  revokedKeys(): string {
    return `${this.#base}:access:revoked`
  }

  /** string, id of the access key that a ticket stands for; TTL 30 s. Written and removed by gateways. */
  ticket(hash: string): string {
    return `${this.#base}:access:ticket:${hash}`
  }

  /** string, JSON, what comes by an access key at one gateway; TTL 3 s. Written by that gateway. */
  flow(keyId: string, gatewayId: string): string {
    return `${this.flowGateways(keyId)}:${gatewayId}`
  }

  /** set, ids of the gateways at which something comes by an access key; TTL 6 s. Written by these gateways. */
  flowGateways(keyId: string): string {
    return `${this.#base}:access:flow:${keyId}`
  }

  /** What the names of counts of requests start with: strings, TTL 60 s, written by gateways. */
  requestCounts(): string {
    return `${this.#base}:access:requests`
  }

  /** For scripts that find a key by an id they read: the part before the id. */
  workerBase(): string {
    return this.worker('')
  }

  sessionBase(): string {
    return this.session('')
  }

  gatewayBase(): string {
    return this.gateway('')
  }
}
