import {
  headerValues,
  makeResponse,
  type SipRequest,
  type SipResponse,
} from '../../embedded-drachtio/message/index.ts'
import type { Timer } from '../../shared/clock.ts'
import { DEFAULT_ANSWER } from './consumers.ts'
import { contactUri, hasRouteSet, required, tagged } from './dialog.ts'
import type { ServerTransaction } from './endpoint.ts'
import { ALLOW, ANSWER_TIER, DOMAIN, RECORD_ROUTES, texts } from './identity.ts'
import { Session } from './session.ts'
import { line, plainResponse, refusal, userHeaders } from './shapes.ts'

const T1 = 500
const T2 = 4000
/** 64·T1: how long a 200 waits for its ACK (RFC 3261 §13.3.1.4). */
const ACK_LIFE = 32_000

/** A business-initiated call: the consumer's phone rings and does what its script says. */
export class BusinessCall extends Session {
  #invite: ServerTransaction | undefined
  #tag = ''
  #answer: string | undefined
  #resend: Timer | undefined
  #acknowledged = false

  /** Takes an admitted INVITE: 100, 180, then what the consumer's script says. */
  ring(invite: ServerTransaction): void {
    const { context, record, consumer } = this
    this.#invite = invite
    this.connection = invite.connection
    this.#tag = context.random.uuid()
    record.enter('inviting')
    context.store.recordCall({
      event: 'created',
      wacid: record.id,
      number: this.number,
      consumer: consumer.id,
      direction: 'BUSINESS_INITIATED',
    })
    invite.respond(makeResponse(invite.request, 100))
    const { script } = consumer
    const ringing = script.action !== 'unreachable' && script.action !== 'error'
    if (ringing) {
      invite.respond(this.#respond(180))
      record.enter('ringing')
    }
    if (script.action !== 'answer') {
      const usual = script.action === 'unanswered' ? context.behaviour.ringTime : DEFAULT_ANSWER
      this.after(script.after ?? usual, () => this.#refuse())
      return
    }
    const ready = this.#openMedia(invite.request)
    this.after(script.after ?? DEFAULT_ANSWER, () => {
      ready.then(
        () => this.#accept(),
        (error: Error) => this.#end(503, 'Service Unavailable', error.message),
      )
    })
    // Heard above, when the phone is picked up.
    ready.catch(() => {})
  }

  /** The business gives up: its CANCEL has its 200 already. */
  cancelled(): void {
    this.#invite?.respond(plainResponse(this.#invite.request, 487, this.#tag, 'Request Terminated'))
    this.finish({ by: 'business', status: 487, reason: 'cancelled' }, 'unanswered')
  }

  /** The consumer declines. */
  cancel(): void {
    this.#end(486, texts.declined, texts.declined)
  }

  /** An ACK for the 200. */
  ack(request: SipRequest): void {
    if (this.#acknowledged) return
    if (!hasRouteSet(request)) {
      this.record.violate('route', 'the Route set of the ACK is not the recorded one: ACK lost')
      return
    }
    this.#acknowledged = true
    this.#resend?.clear()
  }

  async #openMedia(invite: SipRequest): Promise<void> {
    const media = await this.openMedia()
    if (this.record.state === 'ended') {
      media.close()
      return
    }
    this.media = media
    this.record.media = media
    this.#answer = await media.answer(invite.body?.toString() ?? '')
  }

  #refuse(): void {
    const { action } = this.consumer.script
    if (action === 'decline') this.#end(486, texts.declined, texts.declined)
    else if (action === 'error') this.#end(503, 'Service Unavailable', 'service unavailable')
    else this.#end(480, 'Temporarily Unavailable', action)
  }

  #end(status: 480 | 486 | 503, text: string, reason: string): void {
    if (!this.#invite || this.#invite.final) return
    this.#invite.respond(refusal(this.#invite.request, status, text, this.#tag))
    const counted = { 480: 'unanswered', 486: 'rejected', 503: 'failed' } as const
    const by = status === 503 ? 'whatsapp' : 'consumer'
    this.finish({ by, status, reason }, counted[status])
  }

  #accept(): void {
    const invite = this.#invite
    if (!invite || invite.final || this.#answer === undefined) return
    const { request } = invite
    const target = contactUri(request)
    if (!target) {
      this.record.violate('contact', 'the INVITE has no usable Contact')
      this.#end(503, 'Service Unavailable', 'no Contact')
      return
    }
    this.dialog = {
      callId: request.callId,
      localTag: this.#tag,
      remoteTag: request.fromTag,
      from: tagged(required(request, 'to'), this.#tag),
      to: required(request, 'from'),
      target,
      routes: headerValues(request.headers, 'record-route'),
      contact: `${this.#contact()};${ANSWER_TIER}`,
      cseq: this.context.random.int(1000, 32768),
    }
    const response = this.#respond(200)
    invite.respond(response)
    this.established()
    this.#repeat(invite, response, T1, 0)
    const { hangupAfter } = this.consumer.script
    if (hangupAfter !== undefined) this.after(hangupAfter, () => this.hangup())
  }

  /** A 2xx is repeated until its ACK on streams too: the ACK comes end to end. */
  #repeat(invite: ServerTransaction, response: SipResponse, wait: number, waited: number): void {
    this.#resend = this.after(wait, () => {
      if (waited + wait >= ACK_LIFE) {
        this.record.violate('ack', 'no ACK for the 200 in 32 s')
        this.hangup({ by: 'consumer', reason: 'no ACK' })
        return
      }
      invite.respond(response)
      const gone = waited + wait
      this.#repeat(invite, response, Math.min(wait * 2, T2, ACK_LIFE - gone), gone)
    })
  }

  #contact(): string {
    const user = this.consumer.hidesNumber ? this.consumer.userId : `+${this.consumer.id}`
    return `sip:${user}@${DOMAIN};transport=tls;ob`
  }

  /** 180 and 200 in WhatsApp's shape; its Record-Routes precede those of the request. */
  #respond(status: 180 | 200): SipResponse {
    const { request } = this.#invite!
    const contact = status === 200 ? `${this.#contact()};${ANSWER_TIER}` : this.#contact()
    const headers = [line('Allow', ALLOW)]
    if (status === 200) {
      headers.push(line('Supported', 'timer'), line('X-FB-External-Domain', DOMAIN))
    }
    headers.push(line('Contact', `<${contact}>;isfocus`))
    if (status === 200) {
      headers.push(...userHeaders(this.consumer), line('Content-Type', 'application/sdp'))
    }
    const response = makeResponse(request, status, undefined, {
      toTag: this.#tag,
      headers,
      body: status === 200 ? this.#answer : undefined,
    })
    const after = response.headers.findLastIndex((header) => header.key === 'via') + 1
    const own = [...RECORD_ROUTES].reverse().map((route) => line('Record-Route', route))
    response.headers.splice(after, 0, ...own)
    return response
  }
}
