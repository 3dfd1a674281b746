import type { OptionsConfig, TrunkConfig, TrunkTarget } from '../../config/types.ts'
import type { Clock, Timer } from '../../shared/clock.ts'
import { formatHostPort } from '../../shared/host-port.ts'
import type { Random } from '../../shared/random.ts'
import { retryAfterOf } from '../headers/seconds.ts'
import type { IncomingResponse, OutgoingRequest, SipPort } from '../sip-port.ts'
import { unreached } from './attempt.ts'
import type { TargetHealth } from './target-health.ts'

/** Time between two pings of a target that is down: its return is seen within seconds. */
export const DOWN_INTERVAL = 2000
/** Time to the next ping after one that failed, while the target is not known to be down. */
export const DOUBTFUL_INTERVAL = 500
/** Within which time the first pings are sent. */
const FIRST_WITHIN = 1000

/** What pings are sent and judged with. */
export interface PingPlace {
  readonly port: SipPort
  readonly clock: Clock
  readonly random: Random
  readonly targets: TargetHealth
}

interface Pinged {
  target: TrunkTarget
  options: OptionsConfig
  timer: Timer | undefined
  /** An answer is being waited for. */
  waiting: boolean
}

/**
 * Sends OPTIONS to the targets of trunks that ask for it (RFC 3261 §11). Each target is pinged once,
 * with the shortest of the intervals when several trunks share it.
 */
export class Pinger {
  readonly #place: PingPlace
  readonly #pinged = new Map<string, Pinged>()

  constructor(place: PingPlace) {
    this.#place = place
  }

  /** Takes the trunks as they are now: starts, changes and ends pings. */
  configure(trunks: readonly TrunkConfig[]): void {
    const wanted = wantedPings(trunks)
    for (const [uri, pinged] of this.#pinged) {
      const now = wanted.get(uri)
      if (now) this.#change(pinged, now.options)
      else this.#end(uri, pinged)
    }
    for (const [uri, { target, options }] of wanted) {
      if (this.#pinged.has(uri)) continue
      const pinged: Pinged = { target, options, timer: undefined, waiting: false }
      this.#pinged.set(uri, pinged)
      this.#schedule(pinged, this.#place.random.int(0, FIRST_WITHIN))
    }
  }

  /** Whether a target is pinged. */
  pings({ uri }: TrunkTarget): boolean {
    return this.#pinged.has(uri)
  }

  /** Ends all of them. */
  stop(): void {
    for (const [uri, pinged] of this.#pinged) this.#end(uri, pinged)
  }

  /** A shorter interval does not wait for the end of the former one. */
  #change(pinged: Pinged, options: OptionsConfig): void {
    const shorter = options.interval < pinged.options.interval
    pinged.options = options
    if (!shorter || pinged.waiting) return
    pinged.timer?.clear()
    this.#schedule(pinged, this.#place.random.int(0, FIRST_WITHIN))
  }

  #end(uri: string, pinged: Pinged): void {
    this.#pinged.delete(uri)
    pinged.timer?.clear()
    this.#place.targets.unpinged(pinged.target)
  }

  #schedule(pinged: Pinged, ms: number): void {
    pinged.timer = this.#place.clock.setTimeout(() => this.#ping(pinged), ms)
  }

  /** The next ping, spread by a tenth so that those of many targets do not meet. */
  #next(pinged: Pinged): void {
    const { random, targets } = this.#place
    const { interval } = pinged.options
    const pauses = { none: interval, doubtful: DOUBTFUL_INTERVAL, down: DOWN_INTERVAL }
    const pause = Math.min(interval, pauses[targets.doubtOf(pinged.target)])
    this.#schedule(pinged, (pause * random.int(90, 111)) / 100)
  }

  #ping(pinged: Pinged): void {
    const { port, clock, random } = this.#place
    const { target } = pinged
    const { timeout } = pinged.options
    if (!port.connected) {
      // Without a SIP server of our own nothing is learnt of the target.
      this.#next(pinged)
      return
    }
    const began = clock.monotonic()
    let settled = false
    pinged.waiting = true
    const settle = (judge: () => void): void => {
      if (settled) return
      settled = true
      pinged.waiting = false
      pinged.timer?.clear()
      if (this.#pinged.get(target.uri) !== pinged) return
      judge()
      this.#next(pinged)
    }
    const failed = (reason: string): void => {
      settle(() => this.#place.targets.pingFailed(target, reason, pinged.options))
    }
    pinged.timer = clock.setTimeout(() => failed(`no answer to OPTIONS in ${timeout} ms`), timeout)
    port.request(optionsTo(target, random), {
      onResponse: (response) => {
        if (response.status < 200) return
        settle(() => this.#judge(pinged, response, clock.monotonic() - began))
      },
      onError: (error) => {
        if (port.connected) failed(error.message)
        else settle(() => {})
      },
    })
  }

  #judge({ target, options }: Pinged, response: IncomingResponse, roundTrip: number): void {
    const { targets } = this.#place
    const { status, reason, local } = response
    const said = local ? unreached(status) : `OPTIONS is answered ${status} ${reason}`
    const retryAfter = retryAfterOf(response)
    if (!local && status === 503 && retryAfter !== undefined) targets.busy(target, said, retryAfter)
    else if (local || status === 408 || status === 503) targets.pingFailed(target, said, options)
    else targets.pingAnswered(target, roundTrip, options)
  }
}

/**
 * The targets of the file. A contact a PBX has registered is not pinged: its registration says that it is
 * there, and the way to it may be a connection or a Path.
 */
function wantedPings(trunks: readonly TrunkConfig[]) {
  const wanted = new Map<string, { target: TrunkTarget; options: OptionsConfig }>()
  for (const trunk of trunks) {
    const { options, targets } = trunk
    if (options.interval === 0) continue
    for (const target of targets) {
      const known = wanted.get(target.uri)
      if (known && known.options.interval <= options.interval) continue
      wanted.set(target.uri, { target, options })
    }
  }
  return wanted
}

/** An OPTIONS outside of a dialog; `localhost` stands for the address it leaves from. */
function optionsTo(target: TrunkTarget, random: Random): OutgoingRequest {
  const { transport, port } = target
  const place = formatHostPort(target.host, port)
  return {
    method: 'OPTIONS',
    uri: `sip:${place};transport=${transport}`,
    headers: {
      'Call-ID': random.uuid(),
      From: `<sip:causeway@localhost>;tag=${random.hex(8)}`,
      To: `<sip:${place}>`,
      CSeq: '1 OPTIONS',
      Contact: `<sip:causeway@localhost;transport=${transport}>`,
      Accept: 'application/sdp',
    },
  }
}
