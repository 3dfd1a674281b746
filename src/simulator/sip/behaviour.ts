import { DEFAULT_WATCHDOG } from '../media/index.ts'
import type { DigestAlgorithm } from './digest.ts'

/** What can be varied of WhatsApp's side while it runs. Times in milliseconds. */
export interface Behaviour {
  /** Algorithms offered to the business, one Proxy-Authenticate each, in this order. */
  digest: DigestAlgorithm[]
  /**
   * How OPTIONS is treated: reports from the field contradict each other. `challenge` asks for
   * credentials and judges them and From as it does for an INVITE.
   */
  options: 'answer' | 'drop' | 'challenge'
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
  /**
   * WhatsApp's DTLS part where it is free to choose: reports contradict each other. As offerer it
   * takes a step of its own only when active.
   */
  dtlsRole: 'passive' | 'active'
  /** How long WhatsApp's relay leaves DTLS unanswered at first; media has been seen 3 s late. */
  dtlsDelay: number
  /** Order of the codecs in offers of a number with additional codecs; nobody has published it. */
  codecOrder: 'opus-first' | 'g711-first'
  /** SDP in a 183, and media before the answer: not documented to be heard. */
  earlyMedia: 'refuse' | 'accept'
  /** How long the first packet of the business may take after the answer. */
  firstPacket: number
  /** How far a timestamp may run ahead of the clock: a busy machine sends late what it stamped in time. */
  ahead: number
  /** Share of packets lost in each direction on purpose, 0 to 1. */
  loss: number
  /** Whether a broken rule of the media path ends the call, or is only noted. */
  strict: boolean
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
  dtlsRole: 'passive',
  dtlsDelay: 0,
  codecOrder: 'opus-first',
  earlyMedia: 'refuse',
  firstPacket: 1000,
  ahead: 250,
  loss: 0,
  strict: true,
}
