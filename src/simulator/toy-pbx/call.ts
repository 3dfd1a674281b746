import type { Dialog } from 'drachtio-srf'
import type { Clock } from '../../shared/clock.ts'
import type { MediaEndpoint, MediaVerdict } from '../media/index.ts'
import { Watchers } from '../watchers.ts'

/** Where a call of the toy PBX is. */
export type PbxCallState = 'ringing' | 'answered' | 'ended'

/** A call as the toy PBX shows it. */
export interface PbxCallView {
  direction: 'incoming' | 'outgoing'
  /** User parts of From and To. */
  from: string
  to: string
  state: PbxCallState
  /** How it ended: `hung up here`, `hung up by the trunk`, `480 Temporarily Unavailable`. */
  reason: string | undefined
  media: MediaVerdict | undefined
}

/** One call of the toy PBX. */
export class PbxCall {
  readonly direction: 'incoming' | 'outgoing'
  readonly from: string
  readonly to: string
  /** Headers of the incoming INVITE, or of the final response to ours; names lower case. */
  headers: Readonly<Record<string, string>> = {}
  /** Final SIP status of a call that was not answered. */
  status: number | undefined
  reason: string | undefined
  readonly #clock: Clock
  readonly #watchers = new Watchers()
  #state: PbxCallState = 'ringing'
  #media: MediaEndpoint | undefined
  #dialog: Dialog | undefined
  #cancel: (() => void) | undefined

  constructor(options: {
    direction: 'incoming' | 'outgoing'
    from: string
    to: string
    clock: Clock
  }) {
    this.direction = options.direction
    this.from = options.from
    this.to = options.to
    this.#clock = options.clock
  }

  get state(): PbxCallState {
    return this.#state
  }

  /** Both directions of the audio so far; stays after the end. */
  get media(): MediaVerdict | undefined {
    return this.#media?.verdict()
  }

  /** Gives the call its socket, which is closed at the end. */
  attach(media: MediaEndpoint): void {
    this.#media = media
    if (this.#state === 'ended') media.close()
  }

  /** How an outgoing call is cancelled while it rings. */
  cancellable(cancel: () => void): void {
    this.#cancel = cancel
  }

  /** The dialog is there: audio flows until one side hangs up. */
  answered(dialog: Dialog): void {
    if (this.#state === 'ended') {
      dialog.destroy()
      return
    }
    this.#dialog = dialog
    this.#state = 'answered'
    this.#media?.start()
    dialog.on('destroy', () => this.end('hung up by the trunk'))
    // Session refreshes and re-INVITEs keep what was agreed.
    dialog.on('modify', (_request, response) => {
      response.send(200, { body: dialog.local.sdp })
    })
    this.#changed()
  }

  /** Ends the call here; the first reason counts. */
  end(reason: string, status?: number): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.reason = reason
    this.status = status
    this.#media?.close()
    this.#changed()
  }

  /** Hangs up an answered call, cancels an outgoing one that rings. */
  hangup(): void {
    if (this.#state === 'ringing') this.#cancel?.()
    if (this.#state !== 'answered') return
    this.#dialog?.destroy()
    this.end('hung up here')
  }

  /** Hangs up after `ms` milliseconds, unless the other side was faster. */
  hangupAfter(ms: number): void {
    this.#clock.setTimeout(() => this.hangup(), ms)
  }

  /** Sends digits by RFC 4733. Throws RangeError for an unknown digit. */
  dtmf(digits: string): void {
    this.#media?.dtmf(digits)
  }

  /** Resolves when `test` holds, or the call has ended. */
  async until(test: (call: PbxCall) => boolean): Promise<PbxCall> {
    await this.#watchers.until(() => test(this) || this.#state === 'ended')
    return this
  }

  view(): PbxCallView {
    const { direction, from, to, reason, media } = this
    return { direction, from, to, state: this.#state, reason, media }
  }

  #changed(): void {
    this.#watchers.notify()
  }
}
