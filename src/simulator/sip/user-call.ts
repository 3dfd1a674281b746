import {
  bracketed,
  headerValue,
  headerValues,
  type SipRequest,
  type SipResponse,
} from '../../embedded-drachtio/message/index.ts'
import { Secret } from '../../shared/secret.ts'
import { judgeSdp, readAudio } from '../media/index.ts'
import { userPart } from './consumers.ts'
import { contactUri, type Dialog, ownRoutes, required } from './dialog.ts'
import { answerChallenge } from './digest.ts'
import type { ClientTransaction } from './endpoint.ts'
import { DOMAIN, NO_ANSWER } from './identity.ts'
import { Session } from './session.ts'
import { line, metaHeaders, shapeRequest } from './shapes.ts'

/** A call a consumer makes. Times in milliseconds. */
export interface UserCallOptions {
  /** Consumer: `+`digits, digits or BSUID. */
  from: string
  /** Business number, with or without `+`. */
  to: string
  /** Payload of the call button. */
  ctaPayload?: string
  /** `biz_payload` of a wa.me/call link. */
  deeplinkPayload?: string
  /** The consumer hangs up this long after the answer; undefined: the business does. */
  hangupAfter?: number
  /** The consumer gives up this long after the INVITE; undefined: at the answer window's end. */
  cancelAfter?: number
}

/** A user-initiated call: INVITE to the configured server, as WhatsApp's gateway sends it. */
export class UserCall extends Session {
  #options: UserCallOptions | undefined
  #transaction: ClientTransaction | undefined
  #uri = ''
  #to = ''
  #from = ''
  #contact = ''
  #tag = ''
  #cseq = 0
  #challenges = 0
  #offer = ''
  #earlyAnswer: string | undefined
  #cancelling: { by: 'consumer' | 'whatsapp'; reason: string } | undefined

  /** Dials the business's server and sends the INVITE; how it went is in the record. */
  async place(options: UserCallOptions): Promise<void> {
    const { context, record, server, number } = this
    const { store, random, behaviour } = context
    this.#options = options
    store.recordCall({
      event: 'created',
      wacid: record.id,
      number,
      consumer: this.consumer.id,
      direction: 'USER_INITIATED',
    })
    try {
      this.connection = await this.reach(server.hostname, server.port)
      const media = await this.openMedia()
      this.media = media
      record.media = media
    } catch (error) {
      const reason = `call dropped, no INVITE: ${(error as Error).message}`
      this.finish({ by: 'whatsapp', reason }, 'failed', { code: 138004, title: 'Connection error' })
      return
    }
    if (record.state === 'ended') {
      this.media.close()
      return
    }
    this.#compose()
    this.#cseq = random.int(1000, 65536)
    this.#offer = this.media.offer()
    record.enter('inviting')
    this.#invite(undefined)
    const wait = options.cancelAfter ?? behaviour.answerWindow
    this.after(wait, () => {
      this.#cancelling =
        options.cancelAfter === undefined
          ? { by: 'whatsapp', reason: 'not answered' }
          : { by: 'consumer', reason: 'cancelled' }
      this.#cancel(options.cancelAfter === undefined ? NO_ANSWER : undefined)
    })
  }

  /** The consumer gives up. */
  cancel(): void {
    this.#cancelling ??= { by: 'consumer', reason: 'cancelled' }
    this.#cancel(undefined)
  }

  #compose(): void {
    const { context, number, server, consumer } = this
    const { random, behaviour } = context
    // RFC 4904 style: the pairs stand in the user part, before the @.
    let user = number.phoneNumber
    for (const [key, value] of Object.entries(server.params)) user += `;${key}=${value}`
    const host = bracketed(server.hostname)
    const port = server.port === 5061 ? '' : `:${server.port}`
    this.#uri = `sip:${user}@${host}${port};transport=tls`
    this.#to = `<sip:${user}@${host}>`
    this.#tag = random.uuid()
    let display = behaviour.display === 'name' ? consumer.name : consumer.id
    if (consumer.hidesNumber && display === consumer.id) {
      display = consumer.username ?? consumer.userId
    }
    const quoted = display.replace(/[\\"]/g, '\\$&')
    const party = userPart(consumer)
    this.#from = `"${quoted}" <sip:${party}@${DOMAIN}>;tag=${this.#tag}`
    this.#contact = `sip:${party}@${DOMAIN};transport=tls;ob`
  }

  #invite(authorization: { name: string; value: string } | undefined): void {
    const { context, record, consumer, number, connection } = this
    const { ctaPayload, deeplinkPayload } = this.#options!
    const extra = metaHeaders({
      wacid: record.id,
      consumer,
      phoneNumberId: number.phoneNumberId,
      ctaPayload,
      deeplinkPayload,
    })
    if (authorization) extra.push(line(authorization.name, authorization.value))
    const request = shapeRequest(
      {
        method: 'INVITE',
        uri: this.#uri,
        routes: [],
        from: this.#from,
        to: this.#to,
        contact: `<${this.#contact}>;isfocus`,
        callId: record.callId,
        cseq: this.#cseq,
        extra,
        allow: true,
        body: this.#offer,
      },
      context.random,
    )
    this.#transaction = context.endpoint.send(connection!, request, {
      response: (response) => this.#response(request, response),
      failed: (reason) => this.#failed(reason),
    })
  }

  #cancel(reason: string | undefined): void {
    const transaction = this.#transaction
    if (!transaction) {
      // Still dialling: place() sees that the call has ended.
      this.finish({ by: 'consumer', reason: 'cancelled' }, 'unanswered')
      return
    }
    if (!transaction.final) transaction.cancel(reason)
    // A business that never sends its 487 must not keep the call for ever.
    this.after(32_000, () => this.#failed('no 487 for the CANCEL'))
  }

  #failed(reason: string): void {
    this.finish({ by: 'business', reason }, 'failed', { code: 138004, title: 'Connection error' })
  }

  #response(request: SipRequest, response: SipResponse): void {
    const { record } = this
    if (response.status < 200) {
      if (response.status > 100) record.enter('ringing')
      if (response.status === 183 && response.body) this.#early(response.body.toString())
      return
    }
    if (record.state === 'ended') return
    if (response.status < 300) void this.#accepted(request, response)
    else if (response.status === 401 || response.status === 407) this.#challenged(response)
    else {
      const { by, reason } = this.#cancelling ?? { by: 'business', reason: response.reason }
      const counted = this.#cancelling ? 'unanswered' : 'rejected'
      this.finish({ by, status: response.status, reason }, counted)
    }
  }

  /** A 183 with SDP: media before the answer, which WhatsApp is not known to play. */
  #early(sdp: string): void {
    if (this.context.behaviour.earlyMedia === 'refuse') {
      this.record.violate('early-media', 'early media in 183 is not supported')
      return
    }
    if (this.#earlyAnswer !== undefined) {
      this.#sameAnswer(sdp)
      return
    }
    this.#earlyAnswer = sdp
    this.#judge(sdp).catch((error: Error) => this.record.violate('sdp', error.message))
  }

  /** One offer has one answer: 183 and 200 say the same. */
  #sameAnswer(sdp: string): void {
    const essence = (text: string): string => text.replace(/^o=.*$/m, '')
    if (essence(sdp) === essence(this.#earlyAnswer ?? '')) return
    this.record.violate('sdp', 'the answer is another one than in the 183 before')
  }

  /** Takes the answer; rejects with the reason when the call cannot go on with it. */
  async #judge(sdp: string): Promise<void> {
    const { server, record } = this
    const policy = { srtp: server.srtp, codecs: server.codecs }
    const { refusal, violations } = judgeSdp(sdp ? readAudio(sdp) : undefined, policy, 'answer')
    for (const violation of violations) record.violate('sdp', violation)
    if (refusal) throw new Error(refusal)
    await this.media?.complete(sdp)
  }

  #challenged(response: SipResponse): void {
    const { record, number, server, context } = this
    const proxy = response.status === 407
    const challenge = headerValue(
      response.headers,
      proxy ? 'proxy-authenticate' : 'www-authenticate',
    )
    const stop = (reason: string): void => {
      this.finish({ by: 'whatsapp', status: response.status, reason }, 'failed')
    }
    if (this.#cancelling) {
      stop('cancelled')
      return
    }
    this.#challenges++
    if (this.#challenges > 2 || (this.#challenges > 1 && !/stale=true/i.test(challenge ?? ''))) {
      record.violate('challenge', 'the credentials were refused')
      stop('credentials refused')
      return
    }
    const value = answerChallenge({
      challenge: challenge ?? '',
      method: 'INVITE',
      // Unlike the Request-URI (trace).
      uri: this.#uri.replace(/;transport=tls$/, ''),
      username: number.digits,
      password: new Secret(server.password),
      random: context.random,
    })
    if (!value) {
      stop('challenge without a usable Digest')
      return
    }
    record.enter('challenged')
    this.#cseq++
    this.#invite({ name: proxy ? 'Proxy-Authorization' : 'Authorization', value })
  }

  async #accepted(request: SipRequest, response: SipResponse): Promise<void> {
    const { record } = this
    if (this.dialog) {
      // A repeated 200: its ACK was lost, or never sent for broken Record-Routes.
      if (this.reachable) await this.#ack(this.dialog)
      return
    }
    const routes = ownRoutes(response)
    if (!routes) {
      this.reachable = false
      record.violate('record-route', 'the two Record-Routes did not come back unmodified: no ACK')
    }
    const target = contactUri(response)
    if (!target) {
      this.reachable = false
      record.violate('contact', 'the 200 has no usable Contact: no ACK')
    } else if (!/;transport=tls/i.test(target)) {
      record.violate('contact', 'no ;transport=tls in the Contact of the 200')
    }
    this.#checkVias(request, response)
    this.dialog = {
      callId: record.callId,
      localTag: this.#tag,
      remoteTag: response.toTag,
      from: this.#from,
      to: required(response, 'to'),
      target: target ?? '',
      routes: routes ?? [],
      contact: this.#contact,
      cseq: request.cseq,
    }
    const sdp = response.body?.toString() ?? ''
    try {
      if (this.#earlyAnswer === undefined) await this.#judge(sdp)
      else this.#sameAnswer(sdp)
    } catch (error) {
      record.violate('sdp', (error as Error).message)
      if (this.reachable) await this.#ack(this.dialog)
      record.enter('answered')
      this.hangup({ by: 'consumer', reason: (error as Error).message })
      return
    }
    if (this.reachable) await this.#ack(this.dialog)
    this.#connected()
  }

  #connected(): void {
    for (const timer of this.timers) timer.clear()
    this.timers.clear()
    this.established()
    if (this.#cancelling) {
      // The 200 crossed our CANCEL (RFC 3261 §9.1).
      this.hangup({ ...this.#cancelling, by: 'consumer' })
      return
    }
    const hangupAfter = this.#options?.hangupAfter
    if (hangupAfter !== undefined) this.after(hangupAfter, () => this.hangup())
  }

  #checkVias(request: SipRequest, response: SipResponse): void {
    const sent = headerValues(request.headers, 'via')
    const returned = headerValues(response.headers, 'via')
    const same =
      sent.length === returned.length && sent.slice(1).every((v, i) => v === returned[i + 1])
    if (!same) this.record.violate('via', 'the Vias did not come back as they were sent')
  }

  async #ack(dialog: Dialog): Promise<void> {
    const { context, record } = this
    const ack = shapeRequest(
      {
        method: 'ACK',
        uri: dialog.target,
        routes: dialog.routes,
        from: dialog.from,
        to: dialog.to,
        contact: undefined,
        callId: dialog.callId,
        cseq: this.#cseq,
        extra: [],
        allow: false,
        body: undefined,
      },
      context.random,
    )
    try {
      context.endpoint.transmit(await this.nextHop(dialog), ack)
    } catch (error) {
      record.violate('contact', `the ACK could not be delivered: ${(error as Error).message}`)
    }
  }
}
