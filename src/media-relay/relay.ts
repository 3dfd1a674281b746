import type {
  Anchor,
  AnchorAbilities,
  AnchorCall,
  AnchorStatus,
  MediaEvent,
} from '../media/anchor/types.ts'
import { SUITES } from '../media/anchor/types.ts'
import type { Clock } from '../shared/clock.ts'
import { CausewayError } from '../shared/errors/index.ts'
import type { Logger, LogLevel } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { splitRange } from './ports/port-table.ts'
import { RemoteCall } from './remote-call.ts'
import type { SocketChoice } from './udp/index.ts'
import { sum, WorkerPlace } from './worker/pool.ts'

/** What the embedded relay is made of. */
export interface EmbeddedRelayOptions {
  /** IP literal the RTP sockets bind. */
  listen: string
  /** Public address to advertise when behind NAT; default: `listen`. */
  externalAddress?: string | undefined
  /** Inclusive range of UDP ports, shared out among the workers. */
  ports: { min: number; max: number }
  /** Threads. */
  workers: number
  /** Most calls converted between codecs at a time. */
  transcoding: number
  /** How sockets are opened. Default: `auto`. */
  sockets?: SocketChoice
  clock: Clock
  random: Random
  log: Logger
}

const ABILITIES: AnchorAbilities = {
  transcodes: ['PCMA', 'PCMU'],
  renumbers: true,
  dtlsWithoutIce: false,
  suites: SUITES,
}

/** Milliseconds after which a worker that reports every second is taken for dead. */
const SILENCE = 10_000

/**
 * Starts the embedded relay: an anchor whose calls live in worker threads that own their sockets. A
 * thread that dies takes its calls alone and is started again.
 *
 * @throws CausewayError `MEDIA_LISTEN` when the address is not of this machine
 */
export async function createEmbeddedRelay(options: EmbeddedRelayOptions): Promise<Anchor> {
  const ranges = splitRange(options.ports, options.workers)
  const places = ranges.map((ports, index) => {
    const share = Math.floor((options.transcoding + ranges.length - 1 - index) / ranges.length)
    const input = {
      listen: options.listen,
      externalAddress: options.externalAddress,
      ports,
      transcoding: share,
      sockets: options.sockets ?? 'auto',
      logLevel: options.log.level as LogLevel,
    }
    return new WorkerPlace(`media-${index}`, input, options)
  })
  const started = await Promise.allSettled(places.map((place) => place.start()))
  const failed = started.find((result) => result.status === 'rejected')
  if (failed) {
    await Promise.all(places.map((place) => place.close()))
    throw failed.reason
  }
  return new EmbeddedRelay(places, options)
}

class EmbeddedRelay implements Anchor {
  readonly abilities = ABILITIES
  readonly #places: WorkerPlace[]
  readonly #options: EmbeddedRelayOptions
  #calls = 0
  #lastId = 0
  #closed = false

  constructor(places: WorkerPlace[], options: EmbeddedRelayOptions) {
    this.#places = places
    this.#options = options
  }

  allocate(id: string, listener: (event: MediaEvent) => void): AnchorCall {
    if (!this.#places.some((place) => place.thread)) throw this.#unavailable()
    this.#calls++
    return new RemoteCall(
      ++this.#lastId,
      id,
      listener,
      () => this.#choose(),
      () => {
        this.#calls--
      },
    )
  }

  status(): AnchorStatus {
    const running = this.#places.filter((place) => place.thread)
    const down = this.#places.find((place) => !place.thread)
    const figures = running.flatMap((place) => place.thread?.status ?? [])
    const add = (pick: (status: (typeof figures)[number]) => number): number =>
      figures.reduce((total, status) => total + pick(status), 0)
    return {
      available: running.length > 0,
      detail: down ? `${down.name} is down: ${down.failure}` : '',
      calls: this.#calls,
      instances: this.#places.map((place) => ({
        name: place.name,
        available: place.thread !== undefined,
        calls: place.calls,
        detail: place.failure,
        busySeconds: place.thread?.busySeconds,
      })),
      ports: {
        total: this.#options.ports.max - this.#options.ports.min + 1,
        used: add(({ ports }) => ports.used),
        cooling: add(({ ports }) => ports.cooling),
      },
      transcoding: {
        active: add(({ transcoding }) => transcoding.active),
        limit: this.#options.transcoding,
      },
      totals: this.#places.map(({ totals }) => totals).reduce(sum, {}),
    }
  }

  alive(): boolean {
    const now = this.#options.clock.monotonic()
    return this.#places.some(({ thread }) => thread && now - thread.heardAt < SILENCE)
  }

  reconfigure(externalAddress: string | undefined): void {
    const logLevel = this.#options.log.level as LogLevel
    for (const place of this.#places) place.configure({ externalAddress, logLevel })
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#places.map((place) => place.close()))
  }

  /** The running worker with the fewest calls. */
  #choose(): WorkerPlace {
    let best: WorkerPlace | undefined
    for (const place of this.#places) {
      if (!place.thread) continue
      if (!best || place.calls < best.calls) best = place
    }
    if (!best || this.#closed) throw this.#unavailable()
    return best
  }

  #unavailable(): CausewayError {
    const detail = this.#closed ? 'closing' : this.#places.map((place) => place.failure).join('; ')
    return new CausewayError('MEDIA_RELAY_UNAVAILABLE', { detail })
  }
}
