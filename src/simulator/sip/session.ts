import {
  type HeaderLine,
  parseNameAddr,
  parseSipUri,
  type SipRequest,
} from '../../embedded-drachtio/message/index.ts'
import type { Timer } from '../../shared/clock.ts'
import { type MediaEndpoint, MediaWatchdog } from '../media/index.ts'
import type { SimulatedNumber, SipTrunkView } from '../store.ts'
import type { SipConnection } from './connection.ts'
import type { Consumer } from './consumers.ts'
import type { SimulatorContext } from './context.ts'
import { type Dialog, hasRouteSet, wrongTarget } from './dialog.ts'
import type { ServerTransaction } from './endpoint.ts'
import { MEDIA_LOSS, mediaBroken } from './identity.ts'
import type { CallOutcome, CallRecord } from './record.ts'
import { line, metaHeaders, plainResponse, shapeRequest } from './shapes.ts'

/** Milliseconds our connections outlive their call. */
const GRACE = 5000

/** How a call weighs in the store. */
type StoreOutcome = 'completed' | 'rejected' | 'unanswered' | 'failed'

/** A call from admission or placement to its end: what both directions have in common. */
export abstract class Session {
  readonly record: CallRecord
  readonly number: SimulatedNumber
  readonly server: SipTrunkView
  readonly consumer: Consumer
  protected readonly context: SimulatorContext
  protected readonly timers = new Set<Timer>()
  protected media: MediaEndpoint | undefined
  protected dialog: Dialog | undefined
  /** Connection of the INVITE. */
  protected connection: SipConnection | undefined
  /** Whether WhatsApp can reach the dialog: false once the Record-Routes came back changed. */
  protected reachable = true
  readonly #connections = new Set<SipConnection>()
  #watchdog: MediaWatchdog | undefined
  #closing = false
  /** A rule broken before the answer: the call ends as soon as it can. */
  #verdict: string | undefined

  constructor(options: {
    context: SimulatorContext
    record: CallRecord
    number: SimulatedNumber
    server: SipTrunkView
    consumer: Consumer
  }) {
    this.context = options.context
    this.record = options.record
    this.number = options.number
    this.server = options.server
    this.consumer = options.consumer
  }

  /** Ends a call that is not answered yet, from the consumer's side. */
  abstract cancel(): void

  /** Whether an in-dialog request of the business belongs to this call. */
  owns(request: SipRequest): boolean {
    const { dialog } = this
    return (
      dialog !== undefined &&
      request.callId === dialog.callId &&
      request.toTag === dialog.localTag &&
      request.fromTag === dialog.remoteTag
    )
  }

  /** A request inside the dialog, ACK and CANCEL excepted. */
  inDialog(transaction: ServerTransaction): void {
    const { request } = transaction
    switch (request.method) {
      case 'BYE':
        this.#bye(transaction)
        return
      case 'INVITE':
        this.record.violate('re-invite', 'WhatsApp answers every re-INVITE with 500')
        transaction.respond(plainResponse(request, 500, '', 'Internal Server Error'))
        return
      case 'OPTIONS':
        if (this.context.behaviour.options === 'drop') return
        transaction.respond(plainResponse(request, 200, ''))
        return
      default:
        this.record.violate('method', `${request.method} is not in WhatsApp's Allow`)
        transaction.respond(plainResponse(request, 405, ''))
    }
  }

  /** Hangs up: BYE when answered, the direction's own way before. */
  hangup(
    outcome: CallOutcome = { by: 'consumer', reason: 'hung up' },
    because: string | undefined = outcome.by === 'whatsapp' ? MEDIA_LOSS : undefined,
  ): void {
    if (this.record.state === 'ended' || this.#closing) return
    if (this.record.state !== 'answered') {
      this.cancel()
      return
    }
    this.#closing = true
    void this.#sendBye(because === undefined ? [] : [line('Reason', because)])
    const [code, title] =
      because === MEDIA_LOSS ? [138021, 'Media receive timeout'] : [138004, 'Connection error']
    const error = outcome.by === 'whatsapp' ? { code, title, details: outcome.reason } : undefined
    this.finish(outcome, error ? 'failed' : 'completed', error)
  }

  /** Sends digits to the business. Throws RangeError for an unknown digit. */
  dtmf(digits: string): void {
    this.media?.dtmf(digits)
  }

  /** Drops everything without a word, when the simulator stops. */
  abandon(): void {
    this.finish({ by: 'whatsapp', reason: 'simulator stopped' }, 'completed')
  }

  /** Opens the consumer's media and holds the business's to WhatsApp's rules. */
  protected openMedia(): Promise<MediaEndpoint> {
    return this.context.openMedia(this.server, (rule, detail) => {
      this.record.violate(rule, detail)
      if (!this.context.behaviour.strict) return
      this.#verdict ??= `${rule}: ${detail}`
      if (this.record.state === 'answered') this.#condemn()
    })
  }

  #condemn(): void {
    const reason = this.#verdict
    if (reason !== undefined) this.hangup({ by: 'whatsapp', reason }, mediaBroken(reason))
  }

  protected after(ms: number, fn: () => void): Timer {
    const timer = this.context.clock.setTimeout(() => {
      this.timers.delete(timer)
      fn()
    }, ms)
    this.timers.add(timer)
    return timer
  }

  /** The dialog is confirmed: media may flow, watchdogs run. */
  protected established(): void {
    const { store, clock, behaviour } = this.context
    if (this.record.state === 'ended') return
    this.record.enter('answered')
    store.recordCall({ event: 'connected', wacid: this.record.id })
    this.media?.start()
    this.#watchdog = new MediaWatchdog({
      clock,
      limits: { start: behaviour.mediaStart, gap: behaviour.mediaGap },
      lastAt: () => this.media?.lastAt,
      expired: (phase) => {
        const { start, gap } = { start: behaviour.mediaStart, gap: behaviour.mediaGap }
        const seconds = (phase === 'start' ? start : gap) / 1000
        this.hangup({ by: 'whatsapp', reason: `no media for ${seconds} s` })
      },
    })
    this.#watchdog.start()
    this.#condemn()
  }

  /** Ends the record, the media and every timer. The first outcome counts. */
  protected finish(
    outcome: CallOutcome,
    counted: StoreOutcome,
    error?: { code: number; title: string; details?: string },
  ): void {
    if (!this.record.end(outcome)) return
    for (const timer of this.timers) timer.clear()
    this.timers.clear()
    this.#watchdog?.stop()
    this.media?.close()
    this.#closeLater()
    this.context.store.recordCall({
      event: 'ended',
      wacid: this.record.id,
      outcome: counted,
      ...(error ? { error } : {}),
    })
  }

  /** The next hop of in-dialog requests: a proxy of the business, else its Contact. */
  protected async nextHop(dialog: Dialog): Promise<SipConnection> {
    const [route] = dialog.routes
    const uri = parseSipUri(route ? (parseNameAddr(route)?.uri ?? '') : dialog.target)
    if (!uri) throw new Error(`no route to ${route ?? dialog.target}`)
    return this.reach(uri.host, uri.port)
  }

  /** A connection to a host of the business: the call's own, or the shared one. */
  protected async reach(host: string, port: number | undefined): Promise<SipConnection> {
    const { context, server } = this
    const target = context.target(host, port, server.hostname)
    if (context.behaviour.connections === 'reuse') return context.endpoint.share(target)
    const connection = await context.endpoint.dial(target)
    this.#connections.add(connection)
    if (this.record.state === 'ended') this.#closeLater()
    return connection
  }

  /** Responses on their way get a moment more. */
  #closeLater(): void {
    if (this.#connections.size === 0) return
    this.context.clock.setTimeout(() => {
      for (const connection of this.#connections) connection.close()
      this.#connections.clear()
    }, GRACE)
  }

  #bye(transaction: ServerTransaction): void {
    const { request } = transaction
    const { dialog } = this
    if (!dialog || !this.reachable) {
      transaction.respond(plainResponse(request, 404, '', 'Not found'))
      return
    }
    if (!hasRouteSet(request)) {
      this.record.violate('route', 'the Route set of the BYE is not the recorded one')
      transaction.respond(plainResponse(request, 404, '', 'Not found'))
      return
    }
    const wrong = wrongTarget(request, dialog.contact)
    if (wrong) this.record.violate('request-uri', wrong)
    transaction.respond(plainResponse(request, 200, ''))
    this.finish({ by: 'business', reason: 'hung up' }, 'completed')
  }

  async #sendBye(extra: HeaderLine[]): Promise<void> {
    const { dialog, context, record } = this
    if (!dialog || !this.reachable) return
    dialog.cseq++
    const { endpoint, random, log } = context
    const bye = shapeRequest(
      {
        method: 'BYE',
        uri: dialog.target,
        routes: dialog.routes,
        from: dialog.from,
        to: dialog.to,
        contact: undefined,
        callId: dialog.callId,
        cseq: dialog.cseq,
        extra: [
          ...metaHeaders({
            wacid: record.id,
            consumer: this.consumer,
            duration: record.duration,
          }),
          ...extra,
        ],
        allow: false,
        body: undefined,
      },
      random,
    )
    try {
      const connection = await this.nextHop(dialog)
      endpoint.send(connection, bye, {
        response: (response) => {
          if (response.status < 300) return
          record.violate('bye', `the BYE was answered ${response.status} ${response.reason}`)
        },
        failed: (reason) => record.violate('bye', `the BYE was not answered: ${reason}`),
      })
    } catch (error) {
      record.violate('contact', `the BYE could not be delivered: ${(error as Error).message}`)
      log.warn({ err: error, call: record.callId }, 'BYE not delivered')
    }
  }
}
