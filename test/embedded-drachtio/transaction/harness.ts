import {
  type Flow,
  makeRequest,
  makeResponse,
  parseMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  type Via,
  withVia,
} from '../../../src/embedded-drachtio/message/index.ts'
import {
  type ClientTransaction,
  type ClientUser,
  createTransactionCounters,
  createTransactionLayer,
  type ServerTransaction,
  type TransactionCounters,
  type TransactionLayerOptions,
  type TransactionService,
} from '../../../src/embedded-drachtio/transaction/index.ts'
import type { Target, Transport } from '../../../src/embedded-drachtio/transport/types.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'

/** A message our side handed to the transport. */
export interface Sent {
  /** Milliseconds since the start. */
  at: number
  message: SipMessage
  target?: Target
  flow?: Flow
}

export function flowOf(transport: Flow['transport'], id = 1, remotePort = 5060): Flow {
  return {
    transport,
    id,
    localAddress: '192.0.2.1',
    localPort: 5060,
    remoteAddress: '192.0.2.9',
    remotePort,
  }
}

export function targetOf(transport: Target['transport'], last = 9): Target {
  return { transport, address: `192.0.2.${last}`, port: 5060, domain: `192.0.2.${last}` }
}

/** A transport that keeps what is sent, and fails where told to. */
export class FakeTransport implements Transport {
  readonly sent: Sent[] = []
  /** Addresses that refuse. */
  readonly refusing = new Set<string>()
  /** Transports without a listener. */
  readonly missing = new Set<Target['transport']>()
  /** Identifiers of streams that are closed. */
  readonly closed = new Set<number>()
  readonly #clock: FakeClock

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  reliable(transport: Target['transport']): boolean {
    return transport !== 'udp'
  }

  localFor(target: Target): ReturnType<Transport['localFor']> {
    if (this.missing.has(target.transport)) return undefined
    return { host: '192.0.2.1', port: 5060, transport: target.transport }
  }

  isOpen(flow: Flow): boolean {
    return !this.closed.has(flow.id)
  }

  sendRequest(
    target: Target,
    bytes: Buffer,
    prefer: Flow | undefined,
    done: (error: Error | undefined, flow?: Flow) => void,
  ): void {
    if (this.refusing.has(target.address)) {
      done(new Error('refused'))
      return
    }
    const flow = prefer ?? {
      ...flowOf(target.transport, Number(target.address.split('.')[3])),
      remoteAddress: target.address,
    }
    this.sent.push({ at: this.#clock.monotonic(), message: parseMessage(bytes), target, flow })
    done(undefined, flow)
  }

  sendResponse(flow: Flow, _via: unknown, bytes: Buffer, failed?: (error: Error) => void): void {
    if (this.refusing.has(flow.remoteAddress)) failed?.(new Error('refused'))
    else this.sent.push({ at: this.#clock.monotonic(), message: parseMessage(bytes), flow })
  }

  async close(): Promise<void> {}
}

/** A transaction layer on fakes, with notes of all it told its user. */
export class Harness {
  readonly clock = new FakeClock()
  readonly transport = new FakeTransport(this.clock)
  readonly counters: TransactionCounters = createTransactionCounters()
  readonly layer: TransactionService
  readonly requests: ServerTransaction[] = []
  readonly acks: SipRequest[] = []
  readonly cancelled: ServerTransaction[] = []
  readonly ackTimeouts: ServerTransaction[] = []
  readonly stray: SipResponse[] = []
  readonly ended: (ServerTransaction | ClientTransaction)[] = []
  /** What clients heard: `180`, `200`, `failure 408`. */
  readonly heard: string[] = []
  readonly responses: SipResponse[] = []
  /** What to do with a new request. */
  answer: (transaction: ServerTransaction) => void = () => {}
  onCancelled: (invite: ServerTransaction) => void = () => {}

  constructor(
    options: Partial<
      Pick<
        TransactionLayerOptions,
        'timers' | 'limits' | 'expandForSize' | 'streamRefused' | 'reached'
      >
    > = {},
  ) {
    this.layer = createTransactionLayer({
      transport: this.transport,
      clock: this.clock,
      random: new FakeRandom(),
      metrics: this.counters,
      user: {
        request: (transaction) => {
          this.requests.push(transaction)
          this.answer(transaction)
        },
        ack: (request) => void this.acks.push(request),
        cancelled: (invite) => {
          this.cancelled.push(invite)
          this.onCancelled(invite)
        },
        ackTimeout: (invite) => void this.ackTimeouts.push(invite),
        strayResponse: (response) => void this.stray.push(response),
        ended: (transaction) => void this.ended.push(transaction),
      },
      ...options,
    })
  }

  /** The user of every client transaction. */
  readonly user: ClientUser = {
    response: (response) => {
      this.heard.push(String(response.status))
      this.responses.push(response)
    },
    failure: (status) => void this.heard.push(`failure ${status}`),
    late: (response) => void this.heard.push(`late ${response.status}`),
    ended: (transaction) => void this.ended.push(transaction),
  }

  get sent(): Sent[] {
    return this.transport.sent
  }

  /** What was sent, shortly: `INVITE`, `200 INVITE`. */
  get log(): string[] {
    return this.sent.map(({ message }) => nameOf(message))
  }

  get last(): Sent {
    return this.sent.at(-1)!
  }

  /** Times at which messages of this name were sent. */
  times(name: string): number[] {
    return this.sent.filter(({ message }) => nameOf(message) === name).map(({ at }) => at)
  }

  send(method: string, targets: Target[] = [targetOf('udp')], prefer?: Flow): ClientTransaction {
    return this.layer.send(requestOf(method), targets, this.user, { prefer })
  }

  /** A response of the peer to a request we sent, the last one of the method by default. */
  reply(
    status: number,
    method: string,
    options: { tag?: string; to?: Sent; flow?: Flow } = {},
  ): void {
    const to = options.to ?? this.sent.findLast(({ message }) => nameOf(message) === method)
    if (to?.message.kind !== 'request') throw new Error(`no ${method} was sent`)
    const response = makeResponse(to.message, status, undefined, { toTag: options.tag ?? 'peer' })
    this.layer.onMessage(response, options.flow ?? to.flow!)
  }

  receive(request: SipRequest, flow: Flow): void {
    this.layer.onMessage(request, flow)
  }

  get empty(): boolean {
    const { server, client, timers } = this.layer.sizes()
    return server + client + timers + this.clock.pending === 0
  }
}

export function nameOf(message: SipMessage): string {
  return message.kind === 'request' ? message.method : `${message.status} ${message.method}`
}

/** A request without Via, as the dialog layer makes it. */
export function requestOf(method: string, parts: { cseq?: number; to?: string } = {}): SipRequest {
  return makeRequest({
    method,
    uri: 'sip:b@192.0.2.9',
    callId: 'call-1',
    cseq: parts.cseq ?? 1,
    from: '<sip:a@192.0.2.1>;tag=from',
    to: parts.to ?? '<sip:b@192.0.2.9>',
    body: method === 'INVITE' ? 'v=0\r\n' : undefined,
  })
}

/** A request of the peer, with its Via. */
export function incoming(
  method: string,
  parts: {
    branch?: string
    cseq?: number
    to?: string
    callId?: string
    fromTag?: string
    maxForwards?: number
    transport?: string
  } = {},
): SipRequest {
  const via: Via = {
    transport: parts.transport ?? 'UDP',
    host: '192.0.2.9',
    port: 5060,
    branch: parts.branch ?? 'z9hG4bKpeer1',
    rport: 5060,
    received: '192.0.2.9',
  }
  const request = makeRequest({
    method,
    uri: 'sip:a@192.0.2.1',
    callId: parts.callId ?? 'call-2',
    cseq: parts.cseq ?? 7,
    from: `<sip:b@192.0.2.9>;tag=${parts.fromTag ?? 'caller'}`,
    to: parts.to ?? '<sip:a@192.0.2.1>',
    maxForwards: parts.maxForwards ?? 70,
  })
  return withVia(request, via)
}

/** A response of ours to a request of the peer. */
export function ours(transaction: ServerTransaction, status: number, toTag = 'ours'): SipResponse {
  return makeResponse(transaction.request, status, undefined, { toTag })
}
