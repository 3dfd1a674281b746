import type {
  Headers,
  IncomingRequest,
  OutgoingRequest,
  OutgoingResponse,
  ResponseHandler,
  ResponseSent,
  SipPort,
  SipPortEvents,
} from '../../src/bridge/sip-port.ts'

function find(headers: Readonly<Headers>, name: string): string | undefined {
  const key = Object.keys(headers).find((key) => key.toLowerCase() === name.toLowerCase())
  return key === undefined ? undefined : headers[key]
}

/** A request the bridge sent, for a test to answer. */
export class FakeSent {
  readonly request: OutgoingRequest
  readonly #handler: ResponseHandler
  /** Headers of the CANCEL, once there was one. */
  cancelled: Headers | undefined
  acked = 0

  constructor(request: OutgoingRequest, handler: ResponseHandler) {
    this.request = request
    this.#handler = handler
  }

  header(name: string): string | undefined {
    return find(this.request.headers, name)
  }

  /** The dialog it makes when it is answered. */
  get madeDialog(): string {
    return `${this.header('call-id')};from-tag=${/tag=(.*)/.exec(this.header('from') ?? '')?.[1]}`
  }

  /** The To tag of its answers. */
  get theirTag(): string {
    return `them-${this.header('call-id')}`
  }

  /** The SIP server says it is on its way. */
  confirm(): void {
    this.#handler.onSent?.({
      cancel: (headers) => {
        this.cancelled = headers
      },
    })
  }

  respond(
    status: number,
    reason = 'Reason',
    more: { headers?: Headers; body?: string; local?: boolean; from?: string } = {},
  ): void {
    const headers = { to: `${this.header('to')};tag=${this.theirTag}`, ...more.headers }
    this.#handler.onResponse({
      status,
      reason,
      headers,
      body: more.body ?? '',
      local: more.local ?? false,
      sourceAddress: more.local ? '' : (more.from ?? '10.0.0.9'),
      dialogId: this.madeDialog,
      header: (name) => find(headers, name),
      ack: () => {
        this.acked++
      },
    })
  }

  fail(message: string): void {
    this.#handler.onError(new Error(message))
  }
}

/** A request from the network, recording what it is answered. */
export class FakeRequest implements IncomingRequest {
  readonly responses: OutgoingResponse[] = []
  readonly headers: Headers
  readonly method: string
  readonly uri: string
  readonly body: string
  readonly dialogId: string
  readonly local: boolean
  readonly sourceAddress: string
  readonly sourcePort: number
  readonly transport: string
  readonly receivedOn: string
  /** Set to make the SIP server refuse the next final response: a CANCEL was quicker. */
  gone = false
  #onCancel: ((cancel: Headers) => void) | undefined

  constructor(method: string, options: Partial<FakeRequest> = {}) {
    this.method = method
    this.uri = options.uri ?? 'sip:x@y'
    this.headers = options.headers ?? {}
    this.body = options.body ?? ''
    this.dialogId = options.dialogId ?? ''
    this.local = options.local ?? false
    this.sourceAddress = options.sourceAddress ?? '127.0.0.1'
    this.sourcePort = options.sourcePort ?? 5060
    this.transport = options.transport ?? 'tls'
    this.receivedOn = options.receivedOn ?? ''
  }

  get callId(): string {
    return this.header('call-id') ?? ''
  }

  get last(): OutgoingResponse | undefined {
    return this.responses.at(-1)
  }

  get statuses(): number[] {
    return this.responses.map(({ status }) => status)
  }

  /** The dialog this INVITE makes when it is answered. */
  get madeDialog(): string {
    const tag = /tag=(.*)/.exec(this.header('from') ?? '')?.[1]
    return `${this.callId};from-tag=${tag}`
  }

  /** The To tag of our responses to it. */
  get ourTag(): string {
    return `us-${this.callId}`
  }

  header(name: string): string | undefined {
    return find(this.headers, name)
  }

  onCancel(listener: (cancel: Headers) => void): void {
    this.#onCancel = listener
  }

  cancel(headers: Headers = {}): void {
    this.#onCancel?.(headers)
  }

  respond(response: OutgoingResponse, done?: ResponseSent): void {
    this.responses.push(response)
    if (this.gone) done?.(new Error('Response not sent due to unknown transaction'))
    else done?.(undefined, this.madeDialog, this.ourTag)
  }
}

/** The SIP port without a SIP server: what the bridge sends waits for the test to answer it. */
export class FakePort implements SipPort {
  connected = true
  /** Leave requests unconfirmed, as before the SIP server has answered. */
  slow = false
  readonly sent: FakeSent[] = []
  events: SipPortEvents | undefined
  stopped = false

  start(events: SipPortEvents): void {
    this.events = events
    events.onConnected(['udp/127.0.0.1:5060', 'tls/127.0.0.1:5061'])
  }

  request(request: OutgoingRequest, handler: ResponseHandler): void {
    const sent = new FakeSent(request, handler)
    this.sent.push(sent)
    if (!this.connected) sent.fail('no SIP server')
    else if (!this.slow) sent.confirm()
  }

  stop(): void {
    this.stopped = true
  }

  receive(request: FakeRequest): FakeRequest {
    this.events?.onRequest(request)
    return request
  }

  get last(): FakeSent | undefined {
    return this.sent.at(-1)
  }

  get methods(): string[] {
    return this.sent.map(({ request }) => request.method)
  }
}
