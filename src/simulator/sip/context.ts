import type { Clock } from '../../shared/clock.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { MediaEndpoint } from '../media/index.ts'
import type { SimulatorStore, SipTrunkView } from '../store.ts'
import type { Behaviour } from './behaviour.ts'
import type { DialTarget } from './connection.ts'
import type { ConsumerBook } from './consumers.ts'
import type { DigestGuard } from './digest.ts'
import type { SipEndpoint } from './endpoint.ts'
import type { Broken } from './phones.ts'

/** What every call of the simulator shares. */
export interface SimulatorContext {
  readonly store: SimulatorStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly endpoint: SipEndpoint
  readonly consumers: ConsumerBook
  readonly guard: DigestGuard
  readonly behaviour: Behaviour
  /** Where a host of the business is reached, lab overrides considered. */
  target(host: string, port: number | undefined, hostname: string): DialTarget
  /** A consumer's phone: its socket, waiting for the first packet of the business. */
  openMedia(server: SipTrunkView, broken: Broken): Promise<MediaEndpoint>
}
