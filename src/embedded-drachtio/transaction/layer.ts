import type { Clock } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Random } from '../../shared/random.ts'
import type { SipParseError } from '../message/index.ts'
import type { Flow, SipMessage, SipRequest } from '../message/types.ts'
import { Traffic } from '../traffic.ts'
import type { Target, Transport } from '../transport/types.ts'
import { sendAck } from './ack.ts'
import { ClientRequest } from './client-request.ts'
import { ClientTable } from './client-table.ts'
import {
  type BaseTimers,
  branchGenerator,
  type Core,
  type ExpandForSize,
  type TransactionLimits,
} from './core.ts'
import type { TransactionCounters } from './counters.ts'
import { clientKey, magicCookie } from './keys.ts'
import { ServerSide } from './server-side.ts'
import { TimerWheel } from './timer-wheel.ts'
import type { ClientUser, SendOptions, TransactionLayer, TransactionUser } from './types.ts'

/** What a transaction layer is made of. */
export interface TransactionLayerOptions {
  /** With `isOpen`, a preferred flow that has closed is left out before the Via is written. */
  transport: Transport & { isOpen?: (flow: Flow) => boolean }
  user: TransactionUser
  clock: Clock
  random: Random
  /** Deviations from T1 500, T2 4000, T4 5000 ms. */
  timers?: Partial<BaseTimers> | undefined
  /** Totals to add to; `createTransactionCounters()`. */
  metrics: TransactionCounters
  /** Counters of messages by peer; its own by default. */
  traffic?: Traffic | undefined
  /** Deviations from the defaults of {@link TransactionLimits}. */
  limits?: Partial<TransactionLimits> | undefined
  /** How a large request avoids UDP. Default: it does not. */
  expandForSize?: ExpandForSize | undefined
  /** Whether users hear of the 100 to an INVITE; not by default. */
  tellTrying?: boolean | undefined
  /** Told of a stream target of `expandForSize` that could not be reached. */
  streamRefused?: ((target: Target) => void) | undefined
  /** Told of targets that answered, and of those that did not or by 503. */
  reached?: ((target: Target, answered: boolean) => void) | undefined
}

/** The transaction layer with its lower side, which plugs into the events of the transport. */
export interface TransactionService extends TransactionLayer {
  /** `message` of TransportEvents. */
  onMessage(message: SipMessage, flow: Flow): void
  /** `malformed` of TransportEvents: answered without a transaction when it can be. */
  onMalformed(error: SipParseError, flow: Flow): void
  /** `closed` of TransportEvents: requests waiting on the stream go elsewhere or fail with 503. */
  onClosed(flow: Flow): void
}

/** The transaction layer of RFC 3261 §17 and RFC 6026 over a transport. */
export function createTransactionLayer(options: TransactionLayerOptions): TransactionService {
  const core = createCore(options)
  const clients = new ClientTable()
  const servers = new ServerSide(core)
  return {
    send(request: SipRequest, targets: Target[], user: ClientUser, sendOptions: SendOptions = {}) {
      const transaction = new ClientRequest(core, clients, request, targets, user, sendOptions)
      transaction.start()
      return transaction
    },
    sendAck: (request, targets, prefer, sent) => sendAck(core, request, targets, prefer, sent),
    server: (id) => servers.table.byId(id),
    client: (id) => clients.byId(id),
    sizes: () => ({
      server: servers.table.size,
      client: clients.size,
      timers: core.wheel.size,
    }),
    close() {
      core.wheel.clear()
      clients.clear()
      servers.table.clear()
    },
    onMessage(message, flow) {
      if (message.kind === 'request') {
        servers.request(message, flow)
        return
      }
      const attempt = clients.byKey(clientKey(message))
      if (attempt?.request.method === message.method) {
        attempt.responded(flow)
        attempt.receive(message, flow)
        return
      }
      core.counters.strayResponses++
      core.user.strayResponse(message, flow)
    },
    onMalformed: (error, flow) => servers.malformed(error, flow),
    onClosed(flow) {
      if (flow.transport === 'udp') return
      for (const attempt of clients.onStream(flow.id)) {
        attempt.failed(new CausewayError('SIP_CONNECTION_CLOSED'))
      }
    },
  }
}

function createCore(options: TransactionLayerOptions): Core {
  const { transport } = options
  const timers: BaseTimers = { t1: 500, t2: 4000, t4: 5000, ...options.timers }
  const t64 = 64 * timers.t1
  return {
    transport,
    user: options.user,
    wheel: new TimerWheel(options.clock),
    random: options.random,
    timers,
    t64,
    limits: {
      serverTransactions: 100_000,
      unansweredInvite: 600_000,
      progress: 185_000,
      silence: t64,
      ...options.limits,
    },
    counters: options.metrics,
    traffic: options.traffic ?? new Traffic(),
    now: () => options.clock.monotonic(),
    expandForSize: options.expandForSize ?? ((targets) => targets),
    tellTrying: options.tellTrying ?? false,
    streamRefused: options.streamRefused ?? (() => {}),
    reached: options.reached ?? (() => {}),
    usable: (flow) => (flow && transport.isOpen?.(flow) === false ? undefined : flow),
    newBranch: branchGenerator(options.random, magicCookie),
  }
}
