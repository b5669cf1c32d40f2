import type { LiveRunOptions } from './live/live-run.ts'
import { LiveRun } from './live/live-run.ts'
import { Statistics } from './live/statistics.ts'
import { EventLog } from './panels/event-log.ts'
import { KeyPanel } from './panels/key-panel.ts'
import { RecordPanel } from './panels/record-panel.ts'
import { SessionPanel } from './panels/session-panel.ts'
import { SpeedPanel } from './panels/speed-panel.ts'
import { StatusLine } from './panels/status-line.ts'
import { TroublePanel } from './panels/trouble-panel.ts'
import { part } from './dom.ts'
import { LeadlineError } from '../client/index.ts'
import type { Server } from './server.ts'
import type { SourceKind } from './sources/source-kind.ts'
import type { OpenSource } from './sources/source.ts'
import { openSource } from './sources/source.ts'
import type { ViewName } from './views/stage.ts'
import { Stage } from './views/stage.ts'

/** One video at a time: from the choice of a source to the end of its session. */
export class Page {
  readonly stage = new Stage()
  readonly #server: Server
  readonly #session = new SessionPanel(() => void this.#restart())
  readonly #speed = new SpeedPanel()
  readonly #status = new StatusLine()
  readonly #trouble = new TroublePanel()
  readonly #key = new KeyPanel((key) => void this.#useKey(key))
  readonly #record = new RecordPanel(this.stage)
  readonly #log = new EventLog()
  readonly #statistics = new Statistics()
  readonly #stop = part('stop', HTMLButtonElement)
  #wanted: { kind: SourceKind; file: File | null } | null = null
  #source: OpenSource | null = null
  /** The session ended while nobody looked, in a way that passes. */
  #isOwedAnother = false
  #run: LiveRun | null = null
  #starts = 0

  constructor(server: Server) {
    this.#server = server
    this.#stop.addEventListener('click', () => this.stop())
    document.addEventListener('visibilitychange', () => void this.#followVisibility())
  }

  /** Ask the server what it has. */
  async greet(): Promise<void> {
    try {
      this.#session.offers = await this.#server.models()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Show this, in place of what is shown. */
  async open(kind: SourceKind, file: File | null = null): Promise<void> {
    this.stop()
    this.#isOwedAnother = false
    const wanted = { kind, file }
    this.#wanted = wanted
    this.#status.say('waiting', kind === 'camera' ? 'Waiting for the camera' : 'Opening the video')
    try {
      const source = await openSource(kind, file)
      if (this.#wanted !== wanted) return source.close()
      this.#source = source
      void source.ended.then(() => this.#source === source && this.stop())
      await this.#start(source)
    } catch (error) {
      if (this.#wanted === wanted) this.#fail(error)
    }
  }

  async tryAgain(): Promise<void> {
    if (this.#wanted === null) return this.chooseAgain()
    await this.open(this.#wanted.kind, this.#wanted.file)
  }

  async setView(view: ViewName): Promise<void> {
    await this.stage.setView(view).catch((error: unknown) => {
      this.#log.tell(`this view needs WebGL 2, which the browser does not give: ${String(error)}`)
    })
  }

  /** Back to the beginning. */
  chooseAgain(): void {
    this.#wanted = null
    this.stop()
    void this.greet()
  }

  stop(): void {
    this.#record.end()
    this.#run?.stop()
    this.#run = null
    this.#source?.close()
    this.#source = null
    this.#stop.disabled = true
    this.#statistics.clear()
    this.#speed.show(this.#statistics)
    this.#trouble.hide()
    this.stage.clear()
    this.#status.say('idle', 'No video yet')
  }

  /** The newest start counts: of one that another has overtaken nothing is seen. */
  async #start(source: OpenSource): Promise<void> {
    const start = ++this.#starts
    const isNewest = () => this.#source === source && this.#starts === start
    this.#status.say('waiting', 'Connecting')
    try {
      const run = await LiveRun.start(this.#optionsFor(source))
      if (!isNewest()) return run.stop()
      this.#run = run
      this.#stop.disabled = false
      run.ended.catch((error: unknown) => this.#run === run && this.#fail(error))
    } catch (error) {
      if (isNewest()) this.#fail(error)
    }
  }

  #optionsFor({ video }: OpenSource): LiveRunOptions {
    return {
      ...{ server: this.#server, config: this.#session.config, source: video },
      onFrame: (frame) => {
        if (this.#statistics.shown.length === 0) this.#status.say('live', 'Live')
        this.#statistics.add(frame.depth, performance.now())
        this.#speed.show(this.#statistics)
        this.stage.show(frame)
        this.#record.take(frame)
      },
      onConnection: (event) => {
        this.#log.tellOfConnection(event)
        this.#status.sayOfConnection(event)
      }
    }
  }

  /** The same video with another session. */
  async #restart(): Promise<void> {
    if (this.#source === null) return
    this.#run?.stop()
    this.#run = null
    this.#statistics.clear()
    this.#log.tell('another session, as chosen')
    await this.#start(this.#source)
  }

  /** Nobody looks at a hidden tab: it sends nothing, and goes on where it was. */
  async #followVisibility(): Promise<void> {
    if (this.#isOwedAnother && !document.hidden) return this.tryAgain()
    if (this.#run === null) return
    part('paused', HTMLElement).hidden = !document.hidden
    if (document.hidden) {
      this.#run.pause()
      this.#status.say('paused', 'Paused while this tab is hidden')
      this.#log.tell('this tab is hidden', 'paused')
    } else if (this.#run.isPaused) {
      await this.#run.resume()
      this.#status.say('live', 'Live')
      this.#log.tell('this tab is shown again', 'live')
    }
  }

  async #useKey(key: string): Promise<void> {
    this.#server.key = key
    this.#key.hide()
    await this.greet()
  }

  #fail(error: unknown): void {
    this.stop()
    this.#isOwedAnother = document.hidden && error instanceof LeadlineError && error.isTemporary
    if (error instanceof LeadlineError && error.code === 'UNAUTHENTICATED') {
      this.#status.say('trouble', 'A key is wanted')
      this.#key.ask(this.#server.key === null ? null : error.message)
      this.#server.key = null
      return
    }
    this.#status.say('trouble', 'It does not work yet')
    this.#trouble.show(error)
  }
}
