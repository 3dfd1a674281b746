import type { CausewayError } from '../../shared/errors/index.ts'
import type { Trouble } from './timing.ts'

/** How many REGISTERs ended how; a digest round trip is part of its REGISTER. */
export type Attempts = Readonly<Record<'registered' | Trouble, number>>

/** A registration as others see it; times in milliseconds since the epoch. */
export interface RegistrationStatus {
  trunk: string
  /** `registered` as long as the lifetime lasts, whatever became of a renewal. */
  state: 'registered' | 'registering' | 'refused' | 'unreachable' | 'failed'
  /** Where it is registered, or was tried last. */
  registrar: string
  registrars: readonly { uri: string; registered: boolean }[]
  username: string
  expiresAt: number | undefined
  /** When the next REGISTER goes out; undefined while one is under way. */
  nextAt: number | undefined
  /** Why the last round of attempts failed; undefined when it did not. */
  error: CausewayError | undefined
  attempts: Attempts
  /** Connections that failed under the registration. */
  flowFailures: number
}
