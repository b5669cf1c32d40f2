/**
 * Exits 0 when the service in this container lives: a gateway says so on its port, a worker on that of its metrics, and
 * which of them runs is not known here. Whoever listens must answer, and somebody must listen.
 */
const { LEADLINE_PORT = '8042', LEADLINE_METRICS_PORT = '9464' } = process.env
const timeoutMs = 4000

const answers = await Promise.all([LEADLINE_PORT, LEADLINE_METRICS_PORT].map(look))
process.exit(answers.includes('alive') && !answers.includes('ill') ? 0 : 1)

async function look(port) {
  try {
    const { ok } = await fetch(`http://127.0.0.1:${port}/livez`, { signal: AbortSignal.timeout(timeoutMs) })
    return ok ? 'alive' : 'ill'
  } catch (error) {
    return error.cause?.code === 'ECONNREFUSED' ? 'nobody' : 'ill'
  }
}
