import type { Dialog, SrfRequest, SrfResponse } from 'drachtio-srf'
import type { Clock } from '../../shared/clock.ts'
import type { CodecName, MediaChange, MediaEndpoint, MediaVerdict } from '../media/index.ts'
import { Watchers } from '../watchers.ts'
import { refer, reinvite, replacesOf, update } from './in-dialog.ts'

/** Where a call of the toy PBX is. */
export type PbxCallState = 'ringing' | 'answered' | 'ended'

/**
 * How a PBX holds: music to the other side, nothing either way, or the address `0.0.0.0` of old
 * (RFC 2543).
 */
export type Hold = 'sendonly' | 'inactive' | 'zero'

const HOLDS: Record<Hold, MediaChange> = {
  sendonly: { direction: 'sendonly' },
  inactive: { direction: 'inactive' },
  zero: { direction: 'sendrecv', address: '0.0.0.0' },
}

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

/** One call of the toy PBX. What changes the session gives the SIP status it was answered with. */
export class PbxCall {
  readonly direction: 'incoming' | 'outgoing'
  readonly from: string
  readonly to: string
  /** Headers of the incoming INVITE, or of the final response to ours; names lower case. */
  headers: Readonly<Record<string, string>> = {}
  /** Final SIP status of a call that was not answered. */
  status: number | undefined
  reason: string | undefined
  /** Bodies of the NOTIFYs after a transfer: `SIP/2.0 200 OK`. */
  readonly notifications: string[] = []
  /** Bodies of the INFOs: `Signal=5\r\nDuration=100`. */
  readonly infos: string[] = []
  /** `Refer-To` of transfers the other side asked for; all are declined. */
  readonly referrals: string[] = []
  readonly #clock: Clock
  readonly #music: number
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
    /** Hz of the music on hold. */
    music?: number
  }) {
    this.direction = options.direction
    this.from = options.from
    this.to = options.to
    this.#clock = options.clock
    this.#music = options.music ?? 660
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
    dialog.on('modify', (request, response) => void this.#modified(request, response))
    dialog.on('refer', (request, response) => {
      this.referrals.push(request.get('Refer-To'))
      response.send(603)
    })
    dialog.on('info', (request, response) => {
      response.send(200)
      this.infos.push(request.body.trim())
      this.#changed()
    })
    dialog.on('notify', (request, response) => {
      response.send(200)
      this.notifications.push(request.body.trim())
      this.#changed()
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
  dtmf(digits: string, milliseconds?: number): void {
    this.#media?.dtmf(digits, milliseconds)
  }

  /** Holds the call; with `sendonly` music is heard. */
  async hold(how: Hold = 'sendonly'): Promise<number> {
    const status = await this.modify(HOLDS[how])
    if (status >= 300) return status
    if (how === 'sendonly') await this.#media?.play(this.#music)
    else this.#media?.mute(true)
    return status
  }

  /** Takes the call from hold. */
  async resume(): Promise<number> {
    const status = await this.modify({})
    if (status >= 300) return status
    await this.#media?.play(undefined)
    this.#media?.mute(false)
    return status
  }

  /** A re-INVITE with these changes: codecs, packet time, direction, address. */
  async modify(change: MediaChange): Promise<number> {
    return this.#change(change, (offer) => reinvite(this.#dialog!, offer))
  }

  /** The same by UPDATE. */
  async update(change: MediaChange): Promise<number> {
    return this.#change(change, (offer) => update(this.#dialog!, offer))
  }

  /** Goes on with another codec. */
  changeCodec(...codecs: CodecName[]): Promise<number> {
    return this.modify({ codecs })
  }

  /** Goes on with 10, 20, 30, 40 or 60 milliseconds of G.711 in a packet. */
  changePtime(ptime: number): Promise<number> {
    return this.modify({ ptime })
  }

  /** Goes on from another port. */
  async changePort(): Promise<number> {
    await this.#up().move()
    return this.modify({})
  }

  /** Goes on with another SSRC, as after a bridge to another channel; nothing is signalled. */
  changeSsrc(): void {
    this.#up().restart()
  }

  /** Voice activity detection: sends nothing while silent; the clock goes on. */
  silent(silent: boolean): void {
    this.#up().mute(silent)
  }

  /** A re-INVITE without an offer. */
  async askOffer(): Promise<number> {
    const media = this.#up()
    const { status, sdp, acknowledge } = await reinvite(this.#dialog!, undefined)
    if (status < 300) acknowledge?.(await media.answer(sdp))
    return status
  }

  /**
   * Transfers the other side to a SIP URI by REFER, blind or, with `replacing`, to the far end of
   * another call of ours. What comes of it is in {@link PbxCall.notifications}.
   */
  transfer(target: string, replacing?: PbxCall): Promise<number> {
    this.#up()
    const other = replacing ? replacing.#dialog : undefined
    const uri = other ? `${target}?Replaces=${encodeURIComponent(replacesOf(other))}` : target
    return refer(this.#dialog!, uri, this.#dialog!.local.uri)
  }

  /** `Replaces` for an INVITE that is to take this call's place at the far end (RFC 3891). */
  get replaces(): string {
    this.#up()
    return replacesOf(this.#dialog!)
  }

  /** Stops without a word, as a PBX does whose power fails: no BYE, no more packets. */
  vanish(): void {
    this.#dialog?.removeAllListeners()
    this.#dialog = undefined
    this.end('vanished')
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

  async #change(
    change: MediaChange,
    send: (offer: string) => Promise<{ status: number; sdp: string }>,
  ): Promise<number> {
    const media = this.#up()
    const { status, sdp } = await send(media.reoffer(change))
    if (status < 300) await media.complete(sdp)
    else media.withdraw()
    return status
  }

  #up(): MediaEndpoint {
    if (this.#state !== 'answered' || !this.#media || !this.#dialog) {
      throw new TypeError(`the call is ${this.#state}, not answered`)
    }
    return this.#media
  }

  /** A re-INVITE of the other side: answered, or with our offer when it has none. */
  async #modified(request: SrfRequest, response: SrfResponse): Promise<void> {
    const media = this.#media
    if (!media) return
    const headers = { 'Content-Type': 'application/sdp' }
    try {
      if (request.body) {
        response.send(200, { headers, body: await media.answer(request.body) })
        return
      }
      this.#dialog?.once('ack', (ack) => {
        if (ack.body) media.complete(ack.body).catch((error: Error) => this.end(error.message))
      })
      response.send(200, { headers, body: media.reoffer({}) })
    } catch {
      response.send(488)
    }
  }

  #changed(): void {
    this.#watchers.notify()
  }
}
