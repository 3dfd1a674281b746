import { type Call, causeOf, type EndCause } from '../../calls/index.ts'
import type { MediaEvent } from '../../media/index.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { BridgeContext } from '../context.ts'
import type { CallMedia } from '../media/call-media.ts'
import { Announcement } from './announcement.ts'
import type { EstablishedCall, Search } from './established.ts'
import type { WhatsAppAnswer } from './whatsapp-answer.ts'

/** The setup a caller waits in. */
export interface Setup {
  readonly call: Call
  readonly media: CallMedia
  readonly whatsapp: WhatsAppAnswer
  /** Looks for a PBX still, once WhatsApp is answered. */
  readonly search: Search
  /** The call as it is once WhatsApp is answered. */
  establish(): EstablishedCall
  /** WhatsApp's CANCEL was quicker than our 200. */
  crossed(error: Error): void
  /** The announcement was heard to its end, and the call is over. */
  over(cause: EndCause): void
}

/**
 * The WhatsApp user while no PBX has answered: with an announcement WhatsApp is answered before the
 * overflow trunk is tried, or when nobody takes the call, so that it is heard.
 */
export class WaitingCaller {
  readonly #ctx: BridgeContext
  readonly #setup: Setup
  readonly #file: string | undefined
  #announcement: Announcement | undefined
  #unanswered: CausewayError | undefined

  /** @param file the announcement, absolute; undefined: there is none */
  constructor(ctx: BridgeContext, setup: Setup, file: string | undefined) {
    this.#ctx = ctx
    this.#setup = setup
    this.#file = file
  }

  /** Why the call ends when the caller hangs up during the announcement that nobody answered. */
  get unanswered(): CausewayError | undefined {
    return this.#unanswered && announced(this.#unanswered)
  }

  onMedia(event: MediaEvent): void {
    this.#announcement?.onMedia(event)
  }

  /** No trunk is left, for this reason. @returns whether the announcement will be heard once */
  giveUp(error: CausewayError): Promise<boolean> {
    this.#unanswered = error
    return this.announce()
  }

  /**
   * Answers WhatsApp, unless it is answered already, and plays the announcement.
   * @returns whether it will be heard
   */
  async announce(): Promise<boolean> {
    const { call, media, whatsapp, search } = this.#setup
    const { session } = media
    if (this.#file === undefined || !session) return false
    let body = ''
    if (!this.#announcement) {
      try {
        body = await session.answerAlone()
      } catch (error) {
        this.#failed(error)
        return false
      }
      if (call.hasEnded()) return true
      this.#announcement ??= new Announcement(session, this.#file, this.#ctx.clock)
    }
    const established = this.#setup.establish()
    established.search = search
    whatsapp.accept(established, body, {
      up: () => this.#play(),
      crossed: (error) => this.#setup.crossed(error),
    })
    return true
  }

  /** A PBX has answered. */
  stop(): void {
    this.#announcement?.stop((error) => this.#failed(error))
    this.#announcement = undefined
  }

  /** The call has ended. */
  dispose(): void {
    this.#announcement?.dispose()
  }

  /** Over and over while the next trunk rings; once when none is left. */
  #play(): void {
    if (this.#unanswered) this.#announcement?.once((cause) => this.#heard(cause))
    else this.#announcement?.loop((error) => this.#failed(error))
  }

  /** The announcement is over, and with it the call. */
  #heard(cause: unknown): void {
    if (cause !== undefined) this.#failed(cause)
    const error = this.#unanswered!
    this.#setup.over(causeOf(cause === undefined ? announced(error) : error))
  }

  #failed(error: unknown): void {
    const { call } = this.#setup
    if (call.hasEnded()) return
    this.#ctx.logs.of(call).warn({ err: error }, 'no announcement')
  }
}

/** The end of a call whose caller has heard the announcement. */
function announced(error: CausewayError): CausewayError {
  return new CausewayError('CALL_ANNOUNCED', { detail: error.detail ?? error.definition.summary })
}
