import { DEFAULT_WATCHDOG } from '../media/index.ts'
import type { DigestAlgorithm } from './digest.ts'

/** What can be varied of WhatsApp's side while it runs. Times in milliseconds. */
export interface Behaviour {
  /** Algorithms offered to the business, one Proxy-Authenticate each, in this order. */
  digest: DigestAlgorithm[]
  /** How OPTIONS is treated: reports from the field contradict each other. */
  options: 'answer' | 'drop'
  /** How long a user-initiated call rings before CANCEL. */
  answerWindow: number
  /** How long a business-initiated call rings before 480. */
  ringTime: number
  /** Media watchdogs: no packet after the answer, none since the last one. */
  mediaStart: number
  mediaGap: number
  /**
   * `each`: a new TLS connection for every request that is not hop-by-hop, as in every trace;
   * `reuse`: one connection to each server for all calls, for load tests.
   */
  connections: 'each' | 'reuse'
  /** From and To display names: the digits, as documented, or the profile name, as in the field. */
  display: 'digits' | 'name'
}

export const DEFAULT_BEHAVIOUR: Behaviour = {
  digest: ['MD5'],
  options: 'answer',
  answerWindow: 45_000,
  ringTime: 45_000,
  mediaStart: DEFAULT_WATCHDOG.start,
  mediaGap: DEFAULT_WATCHDOG.gap,
  connections: 'each',
  display: 'digits',
}
