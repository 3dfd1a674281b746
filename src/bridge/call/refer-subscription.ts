import type { ResponseHandler } from '../sip-port.ts'
import type { EstablishedCall } from './established.ts'
import type { PbxLeg } from './pbx-leg.ts'

/** Nothing follows from what a NOTIFY is answered. */
const IGNORED: ResponseHandler = { onResponse() {}, onError() {} }

/** Seconds a subscription is said to last: longer than any INVITE may take. */
const EXPIRES = 180

/**
 * The implicit subscription of a REFER (RFC 3515 §2.4): the party that transfers is told how the
 * INVITE goes, unless it asked not to be (RFC 4488). It ends with its dialog.
 */
export class ReferSubscription {
  readonly #established: EstablishedCall
  readonly #leg: PbxLeg
  readonly #event: string
  readonly suppressed: boolean
  #over = false

  constructor(
    established: EstablishedCall,
    leg: PbxLeg,
    options: { id: number | undefined; suppressed: boolean },
  ) {
    this.#established = established
    this.#leg = leg
    this.#event = options.id === undefined ? 'refer' : `refer;id=${options.id}`
    this.suppressed = options.suppressed
  }

  /** The INVITE is under way. */
  trying(): void {
    this.#notify('100 Trying', `active;expires=${EXPIRES}`)
  }

  /** How it ended; the last word. */
  finish(status: number, reason: string): void {
    const text = reason.replace(/[\x00-\x1f\x7f]+/g, ' ').slice(0, 128)
    this.#notify(`${status} ${text}`, 'terminated;reason=noresource')
    this.#over = true
  }

  #notify(status: string, state: string): void {
    if (this.suppressed || this.#over || this.#leg.gone) return
    const { call, ctx } = this.#established
    call.note('pbx', 'out', 'NOTIFY', status)
    const headers = {
      Event: this.#event,
      'Subscription-State': state,
      'Content-Type': 'message/sipfrag;version=2.0',
    }
    const body = `SIP/2.0 ${status}\r\n`
    const dialogId = this.#leg.id
    ctx.port.request({ method: 'NOTIFY', uri: 'sip:placeholder', headers, body, dialogId }, IGNORED)
  }
}
