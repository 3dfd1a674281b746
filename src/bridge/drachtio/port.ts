import Srf from 'drachtio-srf'
import type { Secret } from '../../shared/secret.ts'
import type {
  Headers,
  OutgoingRequest,
  ResponseHandler,
  SipPort,
  SipPortEvents,
} from '../sip-port.ts'
import { DrachtioRequest, DrachtioResponse } from './incoming.ts'
import type { SrfApplication, SrfRequest, SrfResponse, SrfSocket } from './types.ts'

/** Where a drachtio-server, the embedded one or a real one, takes applications. */
export interface DrachtioAddress {
  host: string
  port: number
  secret: Secret
}

/** Methods subscribed to outside of dialogs; what nobody subscribes to the server answers 503. */
const SUBSCRIBED = [
  'invite',
  'options',
  'register',
  'message',
  'subscribe',
  'notify',
  'publish',
  'info',
  'refer',
]

/** Longest pause between attempts to connect, milliseconds. */
const RETRY_LIMIT = 3000

/**
 * The port on drachtio-srf's request and response level. Its Dialog objects are not used: they keep
 * both messages in memory, insist on a body in every re-INVITE, and die with their socket, whereas a
 * dialog id serves after a reconnection too.
 */
export class DrachtioPort implements SipPort {
  readonly #address: DrachtioAddress
  #srf: SrfApplication | undefined
  #events: SipPortEvents | undefined
  #connected = false
  #stopped = false
  /** The socket whose writes are gathered until the end of this turn of the event loop. */
  #corked: SrfSocket | undefined
  /** Requests without a final response: drachtio-srf forgets them when the connection is lost. */
  readonly #waiting = new Set<ResponseHandler>()

  constructor(address: DrachtioAddress) {
    this.#address = address
  }

  get connected(): boolean {
    return this.#connected
  }

  start(events: SipPortEvents): void {
    const srf = new Srf() as unknown as SrfApplication
    this.#srf = srf
    this.#events = events
    srf.use((req, res) => this.#onRequest(req, res))
    // The handler above answers everything; these only subscribe.
    for (const method of SUBSCRIBED) srf.use(method, () => {})
    srf.on('connect', (error, hostports) => this.#onConnect(error, hostports ?? ''))
    srf.on('error', (reason) => this.#onLost(String(reason)))
    srf.on('close', () => this.#onLost('connection closed'))
    const { host, port, secret } = this.#address
    const reconnect = { retryMaxDelay: RETRY_LIMIT }
    srf.connect({ host, port, secret: secret.reveal(), reconnect })
  }

  request(request: OutgoingRequest, handler: ResponseHandler): void {
    const { method, uri, headers, body, dialogId, proxy } = request
    if (!this.#srf || !this.#connected) {
      handler.onError(new Error('no SIP server'))
      return
    }
    this.#waiting.add(handler)
    const options = {
      method,
      headers,
      ...(body !== undefined && { body }),
      ...(dialogId !== undefined && { stackDialogId: dialogId }),
      ...(proxy !== undefined && { proxy }),
    }
    try {
      this.#srf.request(uri, options, (error, sent) => {
        if (error || !sent) return this.#fail(handler, error ?? new Error('not sent'))
        this.#track(sent, handler)
      })
    } catch (error) {
      this.#fail(handler, error instanceof Error ? error : new Error(String(error)))
    }
  }

  stop(): void {
    this.#stopped = true
    const srf = this.#srf
    if (!srf) return
    if (this.#connected) srf.disconnect()
    else stopRetrying(srf)
    this.#connected = false
    this.#failAll(new Error('stopped'))
  }

  #track(sent: SrfRequest, handler: ResponseHandler): void {
    // drachtio-srf gives an UPDATE to whatever request of ours is pending in its dialog.
    sent.on('update', (req, res) => this.#onRequest(req, res))
    sent.on('response', (res, ack) => {
      if (res.status >= 200 && !this.#waiting.delete(handler)) return
      this.#gather(res.socket)
      this.#guard(() => handler.onResponse(new DrachtioResponse(res, ack)))
    })
    if (handler.onSent)
      this.#guard(() => handler.onSent?.({ cancel: (headers) => cancel(sent, headers) }))
  }

  /**
   * Gathers what is written in this turn of the event loop into one write: an ACK and the 200 of the
   * other leg go out together. Each write of its own costs a system call and wakes the SIP server.
   */
  #gather(socket: SrfSocket | undefined): void {
    if (!socket || this.#corked) return
    this.#corked = socket
    socket.cork()
    setImmediate(this.#release)
  }

  readonly #release = (): void => {
    this.#corked?.uncork()
    this.#corked = undefined
  }

  #onRequest(req: SrfRequest, res: SrfResponse): void {
    this.#gather(req.socket)
    // One that comes while an INVITE is unanswered is given to the INVITE (RFC 3311 §5.2).
    if (req.method === 'INVITE') req.on('update', (update, its) => this.#onRequest(update, its))
    this.#guard(() => this.#events?.onRequest(new DrachtioRequest(req, res, this.#guard)))
  }

  #onConnect(error: Error | null, hostports: string): void {
    if (error) this.#onLost(error.message)
    else if (this.#stopped) this.#srf?.disconnect()
    else {
      this.#connected = true
      this.#guard(() => this.#events?.onConnected(hostports.split(',').filter(Boolean)))
    }
  }

  #onLost(detail: string): void {
    if (this.#stopped) return
    this.#connected = false
    // The bridge first: calls should end for this reason, not for that of each request.
    this.#guard(() => this.#events?.onDisconnected(detail))
    this.#failAll(new Error('connection to the SIP server lost'))
  }

  #fail(handler: ResponseHandler, error: Error): void {
    if (this.#waiting.delete(handler)) this.#guard(() => handler.onError(error))
  }

  #failAll(error: Error): void {
    for (const handler of [...this.#waiting]) this.#fail(handler, error)
  }

  /** An exception inside drachtio-srf's socket handler would end the process. */
  readonly #guard = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      this.#events?.onFault(error)
    }
  }
}

function cancel(sent: SrfRequest, headers: Headers): void {
  try {
    sent.cancel({ headers })
  } catch {
    // The connection is gone, and the INVITE with it.
  }
}

/** drachtio-srf has no way to be stopped between two attempts to connect but its own state. */
function stopRetrying(srf: SrfApplication): void {
  const { app } = srf as unknown as {
    app: {
      client?: { wp?: { closing?: boolean; reconnectVars?: { retryTimer?: NodeJS.Timeout } } }
    }
  }
  const wire = app.client?.wp
  if (!wire) return
  wire.closing = true
  clearTimeout(wire.reconnectVars?.retryTimer)
}
