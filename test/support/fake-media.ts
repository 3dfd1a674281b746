import type {
  AnchorStatus,
  CallMediaReport,
  MediaCall,
  MediaEvent,
  MediaRelay,
  MediaSession,
  MediaSummary,
  Replacement,
  Side,
} from '../../src/media/index.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'

/** Figures of a call nobody spoke in. */
export function emptyReport(at = 0): CallMediaReport {
  return {
    at,
    legs: { whatsapp: undefined, pbx: undefined },
    transcoding: false,
    verdicts: [],
    verdict: 'none',
    dtmf: [],
  }
}

/** A session that writes down what it is asked; an SDP of `bad` is refused. */
export class FakeSession implements MediaSession {
  readonly call: MediaCall
  readonly agreed: MediaSummary = {
    codec: { whatsapp: 'opus', pbx: 'opus' },
    srtp: { whatsapp: 'sdes', pbx: 'sdes' },
  }
  /** Replacements neither committed nor abandoned. */
  replacements = 0
  started = 0
  released = false
  readonly #relay: FakeMedia

  constructor(relay: FakeMedia, call: MediaCall) {
    this.#relay = relay
    this.call = call
  }

  /** Something happens to the media. */
  emit(event: MediaEvent): void {
    this.call.listener(event)
  }

  offer(from: Side, sdp: string | undefined): Promise<string> {
    return this.#shape(`offer ${from}`, sdp ?? '')
  }

  async early(sdp: string): Promise<string | undefined> {
    const shaped = await this.#shape('early', sdp)
    return this.call.number.inbound?.earlyMedia ? shaped : undefined
  }

  answer(from: Side, sdp: string): Promise<string> {
    return this.#shape(`answer ${from}`, sdp)
  }

  async acknowledge(sdp: string): Promise<void> {
    await this.#shape('acknowledge', sdp)
  }

  async retarget(trunk: MediaCall['trunk']): Promise<string> {
    this.#relay.trunks.push(trunk.name)
    return this.#shape('retarget', trunk.name)
  }

  answerAlone(): Promise<string> {
    return this.#shape('answerAlone', '')
  }

  reoffer(sdp: string | undefined): Promise<string> {
    return this.#shape('reoffer', sdp ?? '')
  }

  async replace(sdp: string | undefined): Promise<Replacement> {
    const shaped = await this.#shape('replace', sdp ?? '')
    this.replacements++
    let open = true
    const end = (): void => {
      if (!open) throw new Error('a replacement ended twice')
      open = false
      this.replacements--
    }
    return {
      sdp: shaped,
      commit: async (answer) => {
        end()
        await this.#shape('commit', answer ?? '')
      },
      abandon: async () => {
        end()
        this.#relay.asked.push('abandon')
      },
    }
  }

  start(): void {
    this.started++
    this.#relay.asked.push('start')
  }

  async play(to: Side, playback: { file: string; loop: boolean } | undefined): Promise<void> {
    const what = playback ? `${playback.file}${playback.loop ? ' loop' : ''}` : 'nothing'
    this.#relay.asked.push(`play ${to} ${what}`)
    if (playback?.file === 'missing') throw new CausewayError('MEDIA_FILE_INVALID')
  }

  async query(): Promise<CallMediaReport | undefined> {
    return this.#relay.report
  }

  async release(): Promise<CallMediaReport | undefined> {
    if (!this.released) this.#relay.open_--
    this.released = true
    return this.#relay.report
  }

  async #shape(what: string, sdp: string): Promise<string> {
    this.#relay.asked.push(what)
    await this.#relay.gate
    const { refuse } = this.#relay
    if (refuse[what]) throw new CausewayError(refuse[what])
    if (this.released) throw new Error('released')
    if (sdp === 'bad') throw new CausewayError('CALL_OFFER_MISSING', { detail: 'bad sdp' })
    return `${what}(${sdp})`
  }
}

/** Media that only writes down what it is asked. */
export class FakeMedia implements MediaRelay {
  readonly kind = 'none'
  open_ = 0
  readonly asked: string[] = []
  /** Trunks offers were shaped for. */
  readonly trunks: string[] = []
  readonly sessions: FakeSession[] = []
  /** Errors by what is asked: `{ replace: 'MEDIA_PORTS_EXHAUSTED' }`. */
  readonly refuse: Record<string, CausewayError['code']> = {}
  /** Awaited by everything that takes SDP: for tests of what comes meanwhile. */
  gate: Promise<void> | undefined
  /** The figures of every call. */
  report: CallMediaReport | undefined

  status(): AnchorStatus {
    return {
      available: true,
      detail: '',
      calls: this.open_,
      instances: [],
      ports: undefined,
      transcoding: undefined,
      totals: {},
    }
  }

  allocate(call: MediaCall): MediaSession {
    if (this.refuse['allocate']) throw new CausewayError(this.refuse['allocate'])
    this.open_++
    this.trunks.push(call.trunk.name)
    const session = new FakeSession(this, call)
    this.sessions.push(session)
    return session
  }

  get last(): FakeSession {
    return this.sessions.at(-1)!
  }

  /** Holds everything up until the function given back is called. */
  hold(): () => void {
    let open = (): void => {}
    this.gate = new Promise((resolve) => {
      open = () => {
        this.gate = undefined
        resolve()
      }
    })
    return open
  }

  async close(): Promise<void> {}
}
