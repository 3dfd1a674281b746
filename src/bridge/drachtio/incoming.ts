import { detach } from '../../shared/detach.ts'
import { tagOf } from '../address/uri.ts'
import type {
  Headers,
  IncomingMessage,
  IncomingRequest,
  IncomingResponse,
  OutgoingResponse,
  ResponseSent,
} from '../sip-port.ts'
import type { SrfMessage, SrfRequest, SrfResponse } from './types.ts'

abstract class Message implements IncomingMessage {
  readonly headers: Readonly<Headers>
  readonly body: string
  readonly dialogId: string
  abstract readonly local: boolean

  constructor(message: SrfMessage, dialogId: string | undefined) {
    this.headers = message.headers
    // The media session keeps what it parses out of it.
    this.body = detach(message.body ?? '')
    this.dialogId = dialogId ?? ''
  }

  header(name: string): string | undefined {
    const key = name.toLowerCase()
    const value = this.headers[key]
    if (value !== undefined || !key.startsWith('x-')) return value
    // drachtio-srf keeps the spelling of names that begin with a capital X.
    for (const spelt in this.headers) if (spelt.toLowerCase() === key) return this.headers[spelt]
    return undefined
  }
}

/** Runs a listener; an exception that would end in drachtio-srf's socket handler goes elsewhere. */
export type Guard = (work: () => void) => void

/** A request as drachtio-srf delivers it. */
export class DrachtioRequest extends Message implements IncomingRequest {
  readonly local: boolean
  readonly #req: SrfRequest
  readonly #res: SrfResponse
  readonly #guard: Guard

  constructor(req: SrfRequest, res: SrfResponse, guard: Guard) {
    super(req, req.stackDialogId)
    this.local = req.source === 'application'
    this.#req = req
    this.#res = res
    this.#guard = guard
  }

  get method(): string {
    return this.#req.method
  }

  get uri(): string {
    return this.#req.uri
  }

  get callId(): string {
    return this.headers['call-id'] ?? ''
  }

  get sourceAddress(): string {
    return this.#req.source_address
  }

  get sourcePort(): number {
    return this.#req.source_port
  }

  get transport(): string {
    return this.#req.protocol
  }

  get receivedOn(): string {
    return this.#req.receivedOn ?? ''
  }

  onCancel(listener: (cancel: Headers) => void): void {
    this.#req.on('cancel', (cancel) => this.#guard(() => listener(cancel.headers)))
  }

  respond(response: OutgoingResponse, done?: ResponseSent): void {
    const { status, reason, headers, lines, body } = response
    const all = lines ? { ...headers, ...joined(lines) } : headers
    const options = { ...(all && { headers: all }), ...(body !== undefined && { body }) }
    const res = this.#res
    if (!done) res.send(status, reason, options)
    else {
      res.send(status, reason, options, (error, sent) => {
        this.#guard(() => {
          if (error) done(error instanceof Error ? error : new Error(String(error)))
          else done(undefined, res.meta.dialogId, tagOf(sent?.headers['to']))
        })
      })
    }
  }
}

/** A response as drachtio-srf delivers it. */
export class DrachtioResponse extends Message implements IncomingResponse {
  readonly local: boolean
  readonly status: number
  readonly reason: string
  readonly sourceAddress: string
  readonly #ack: () => void

  constructor(res: SrfResponse, ack: () => void) {
    super(res, res.stackDialogId)
    // The SIP server's own 408 and 503 carry no address.
    this.local = res.source_address === ''
    this.status = res.status
    this.reason = res.reason
    this.sourceAddress = res.source_address
    this.#ack = ack
  }

  ack(): void {
    this.#ack()
  }
}

/**
 * drachtio-srf joins values of one name with commas. A challenge may not stand in a list (RFC 3261
 * §7.3.1), so that each but the first brings its own name.
 */
function joined(lines: NonNullable<OutgoingResponse['lines']>): Headers {
  const entries = Object.entries(lines).map(([name, values]) => [
    name,
    values.join(`\r\n${name}: `),
  ])
  return Object.fromEntries(entries) as Headers
}
