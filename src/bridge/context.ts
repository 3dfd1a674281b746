import type { Call, CallRegistry } from '../calls/index.ts'
import type { MediaRelay } from '../media/index.ts'
import type { CredentialSource } from '../settings/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { CausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Notices } from '../shared/notices.ts'
import type { Random } from '../shared/random.ts'
import type { Directory } from './admit/directory.ts'
import type { CallRate } from './admit/limits.ts'
import type { OutboundGate } from './admit/outbound.ts'
import type { CallLogs } from './call-log.ts'
import type { DigestCounters } from './digest/counters.ts'
import type { NonceSource } from './digest/nonce.ts'
import type { NonceCache } from './digest/nonce-cache.ts'
import type { CallMedia } from './media/call-media.ts'
import type { Registrar } from './registrar/registrar.ts'
import type { Registrations } from './registration/registrations.ts'
import type { IncomingRequest, SipPort } from './sip-port.ts'
import type { TargetHealth } from './trunks/target-health.ts'

/** A call somebody may end from outside of it. */
export interface Flow {
  readonly call: Call
  readonly media: CallMedia
  /** Ends the call on both legs, with the error as the cause. */
  hangUp(error: CausewayError): void
  /** Pings say that a target is down: a call that rings there goes on elsewhere. */
  targetDown?(uri: string): void
}

/** Who takes the requests of a dialog. */
export interface DialogOwner {
  onRequest(request: IncomingRequest): void
}

/** What every call of the bridge shares. */
export interface BridgeContext {
  readonly port: SipPort
  readonly calls: CallRegistry
  readonly credentials: CredentialSource
  readonly media: MediaRelay
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Lines of what others may cause at any rate. */
  readonly notices: Notices
  /** What became of challenges, on both sides. */
  readonly digests: DigestCounters
  /** The logger of each call. */
  readonly logs: CallLogs
  /** Challenges we make. */
  readonly nonces: NonceSource
  /** Challenges WhatsApp made. */
  readonly reuse: NonceCache
  readonly targets: TargetHealth
  readonly rate: CallRate
  /** Our registrations with PBXs. */
  readonly registrations: Registrations
  /** The registrations of PBXs with us. */
  readonly registrar: Registrar
  /** Whether a call may leave to WhatsApp. */
  readonly gate: OutboundGate
  /** Calls in progress by id. */
  readonly flows: Map<string, Flow>
  /** Dialogs by the SIP server's dialog id. */
  readonly dialogs: Map<string, DialogOwner>
  /** Media sessions on their way out; each settles and leaves. */
  readonly releasing: Set<Promise<void>>
  /** Names of numbers that take and make no new calls for now. */
  readonly heldNumbers: Set<string>
  /** Replaced by a reload. */
  directory: Directory
  draining: boolean
}
