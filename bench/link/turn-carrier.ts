import pLimit from 'p-limit'
import { loadConfig } from '../../src/config.ts'
import { sessionOptions } from '../../src/session.ts'
import { redisGateway } from '../../src/sessions/index.ts'
import type { SessionHandle } from '../../src/sessions/index.ts'
import type { Carrier } from './carrier.ts'
import { frame, silent } from './payload.ts'

/** As many as a gateway lets wait for being opened. */
const opensAtOnce = 200

/** Leadline's own link: turns and mailboxes, through the same door as the API. */
export async function turnCarrier(redisUrl: string): Promise<Carrier> {
  const gateway = await redisGateway(loadConfig({ REDIS_URL: redisUrl }), silent)
  let handles: SessionHandle[] = []
  return {
    open: async (sessions, onResult) => {
      await Promise.all(handles.map((handle) => handle.close()))
      const options = sessionOptions({ model: 'echo' }, 'echo')
      const limit = pLimit(opensAtOnce)
      const open = (session: number): Promise<SessionHandle> =>
        gateway.open(options, (event) => {
          if (event.type === 'result') onResult(session, event.seq)
          else throw new Error(`the link gave ${JSON.stringify(event)}`)
        })
      handles = await Promise.all(
        Array.from({ length: sessions }, (_, session) => limit(() => open(session)))
      )
    },
    send: (session, seq) => handles[session]?.submit(frame(seq)),
    close: () => gateway.close()
  }
}
