import type { MediaEvent } from '../../media/anchor/types.ts'
import type { Clock } from '../../shared/clock.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { AudioLibrary } from '../audio/index.ts'
import { loadCodecs, TranscodingBudget } from '../codec/index.ts'
import { loadDtls, unloadDtls } from '../dtls/library.ts'
import { createDtlsWire } from '../io/dtls-wire.ts'
import { Outbox } from '../io/outbox.ts'
import type { Wire, WireEvents } from '../io/types.ts'
import { createUdpWire } from '../io/udp-wire.ts'
import { type PortRange, PortTable } from '../ports/port-table.ts'
import { createSocketPool } from '../ports/sockets.ts'
import type { WorkerStatus } from '../protocol/messages.ts'
import { RtpHeader } from '../rtp/index.ts'
import { createNodeStack, type UdpStack } from '../udp/index.ts'
import { Call } from './call.ts'
import { Pacer } from './pacer.ts'
import { Ring } from './ring.ts'

/** What an engine is made of. */
export interface EngineOptions {
  /** IP literal the sockets bind. */
  listen: string
  externalAddress: string | undefined
  ports: PortRange
  /** Most calls that may be transcoded at a time. */
  transcoding: number
  /** What sockets are opened with; closed with the engine. Default: Node's. */
  stack?: UdpStack
  clock: Clock
  random: Random
  log: Logger
}

/** The two kinds of wires. */
export type WireKind = 'udp' | 'dtls'

/** Makes the wire of a leg; `identity` is what its description names. */
export type CreateWire = (
  kind: WireKind,
  identity: { ssrc: number; cname: string },
  events: WireEvents,
) => Wire

/** What every call of a worker shares. */
export interface EngineParts {
  clock: Clock
  random: Random
  log: Logger
  ring: Ring
  /** Filled for each packet, used until the next one. */
  header: RtpHeader
  pacer: Pacer
  library: AudioLibrary
  budget: TranscodingBudget
  totals: Totals
  createWire: CreateWire
  /** Loads what wires of a kind need; to be awaited before the first. */
  prepare(kind: WireKind): Promise<void>
}

/** Counters since the start. */
export interface Totals {
  /** Audio packets received, and octets of their payload. */
  packets: number
  octets: number
  calls: number
  /** Legs whose wire failed. */
  failures: number
}

/** The calls of one worker. */
export interface Engine {
  allocate(name: string, listener: (event: MediaEvent) => void): Call
  status(): WorkerStatus
  /** Messages and handshakes are about to come: see {@link UdpStack.expectOthers}. */
  expectOthers(ms: number): void
  /** The public address of calls to come. */
  advertise(externalAddress: string | undefined): void
  /** Sockets open now. */
  readonly sockets: number
  /** Ends every call. Idempotent. */
  close(): Promise<void>
}

/** Makes an engine; `createWire` replaces the real wires in tests. */
export async function createEngine(
  options: EngineOptions,
  createWire?: CreateWire,
): Promise<Engine> {
  const { clock, random, log } = options
  let { externalAddress } = options
  // Now rather than with the first such leg: it takes a tenth of a second of all calls' time. A
  // leg that cannot have it says why.
  if (!createWire) await loadDtls(log).catch(() => {})
  if (options.transcoding > 0) await loadCodecs()
  const table = new PortTable(options.ports, { clock, random })
  const stack = options.stack ?? createNodeStack()
  const sockets = createSocketPool(table, options.listen, stack)
  const afterSockets = stack.afterSockets.bind(stack)
  const outbox = new Outbox(afterSockets)
  const calls = new Set<Call>()
  const parts: EngineParts = {
    clock,
    random,
    log,
    ring: new Ring(),
    header: new RtpHeader(),
    pacer: new Pacer(clock, afterSockets),
    library: new AudioLibrary(),
    budget: new TranscodingBudget(options.transcoding),
    totals: { packets: 0, octets: 0, calls: 0, failures: 0 },
    createWire: createWire ?? realWire,
    prepare: async (kind) => {
      if (kind === 'dtls' && !createWire) await loadDtls(log)
    },
  }

  function realWire(
    kind: WireKind,
    identity: { ssrc: number; cname: string },
    events: WireEvents,
  ): Wire {
    const { listen } = options
    if (kind === 'udp') {
      return createUdpWire({
        sockets,
        outbox,
        listen,
        externalAddress,
        random,
        ...identity,
        events,
      })
    }
    return createDtlsWire({
      listen,
      externalAddress,
      takePort: () => table.takeOne(),
      freePort: (port) => table.free(port),
      ...identity,
      clock,
      events,
    })
  }

  return {
    get sockets() {
      return sockets.size
    },
    advertise(address) {
      externalAddress = address
    },
    allocate(name, listener) {
      const call = new Call(name, listener, parts, () => calls.delete(call))
      calls.add(call)
      parts.totals.calls++
      return call
    },
    expectOthers: (ms) => stack.expectOthers(ms),
    status: () => ({
      ports: table.counts(),
      transcoding: { active: parts.budget.active, limit: parts.budget.limit },
      totals: { ...parts.totals },
    }),
    async close() {
      await Promise.all([...calls].map((call) => call.release()))
      unloadDtls()
      stack.close()
    },
  }
}
