import type { Call, MediaFacts } from '../../calls/index.ts'
import type { NumberConfig, TrunkConfig } from '../../config/types.ts'
import type { CallMediaReport, MediaEvent, MediaSession } from '../../media/index.ts'
import { detach } from '../../shared/detach.ts'
import type { CausewayError } from '../../shared/errors/index.ts'
import type { BridgeContext } from '../context.ts'

/** Who acts on what happens to a call's media. */
export interface MediaHandler {
  /** The relay has lost the call: media will not come back. */
  onMediaLost(error: CausewayError): void
  /** Digits, silence, playbacks, verdicts. */
  onMedia(event: MediaEvent): void
}

/** The media of one call in the hands of the bridge, from its allocation to the last figures. */
export class CallMedia {
  /** Set to whoever drives the call now: its setup, then the answered call. */
  handler: MediaHandler | undefined
  /** The PBX holds: that it sends nothing is no trouble. */
  holding = false
  readonly #ctx: BridgeContext
  readonly #call: Call
  #session: MediaSession | undefined
  #released = false

  constructor(ctx: BridgeContext, call: Call, handler: MediaHandler) {
    this.#ctx = ctx
    this.#call = call
    this.handler = handler
  }

  /** The session; undefined before {@link CallMedia.allocate}. */
  get session(): MediaSession | undefined {
    return this.#session
  }

  /**
   * Takes a session for the call, once.
   * @throws CausewayError `MEDIA_RELAY_UNAVAILABLE` (503)
   */
  allocate(trunk: TrunkConfig, number: NumberConfig): MediaSession {
    const { id } = this.#call
    const listener = (event: MediaEvent): void => this.#onEvent(event)
    this.#session ??= this.#ctx.media.allocate({ id, trunk, number, listener })
    return this.#session
  }

  /** Figures of the media as it stands. */
  async query(): Promise<CallMediaReport | undefined> {
    return this.#session?.query()
  }

  /** Writes what was agreed on the call. */
  note(): void {
    if (this.#session) this.#call.media = factsOf(this.#session)
  }

  /** Frees everything; the last figures go on the call when they come. Idempotent. */
  release(): void {
    this.handler = undefined
    if (this.#released) return
    this.#released = true
    if (!this.#session) return
    const { releasing } = this.#ctx
    const released = this.#session.release().then((report) => {
      releasing.delete(released)
      if (report) this.#call.complete(report)
    })
    releasing.add(released)
  }

  #onEvent(event: MediaEvent): void {
    if (this.#released) return
    if (event.type === 'ended') {
      this.handler?.onMediaLost(event.error)
      return
    }
    if (event.type === 'verdict') this.#judge(event)
    this.handler?.onMedia(event)
  }

  #judge({ verdict, cleared }: Extract<MediaEvent, { type: 'verdict' }>): void {
    if (this.holding && verdict.code === 'MEDIA_SILENT_PBX' && !cleared) return
    if (!this.#call.judge(verdict, cleared)) return
    const { code, side, owner, detail, fix } = verdict
    this.#ctx.logs.of(this.#call).warn({ code, side, owner, detail, fix }, 'media trouble')
  }
}

function factsOf({ agreed }: MediaSession): MediaFacts | undefined {
  if (!agreed) return undefined
  const { codec, srtp } = agreed
  return {
    codec: { whatsapp: detach(codec.whatsapp), pbx: detach(codec.pbx) },
    srtp: { whatsapp: detach(srtp.whatsapp), pbx: detach(srtp.pbx) },
  }
}
