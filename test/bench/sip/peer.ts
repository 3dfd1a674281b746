import { join } from 'node:path'

/** Something calls go through, running. */
export interface BenchPeer {
  /** Processor time and memory are those of this process and its children. */
  readonly pid: number
  /** UDP port on 127.0.0.1 the caller sends to. */
  readonly port: number
  /** Collects garbage, where the peer has any; bytes of heap that stay. */
  collect?(): Promise<number>
  stop(): Promise<unknown>
}

/** Starts a peer in front of a callee. `collects` makes it able to collect garbage when told. */
export type StartPeer = (calleePort: number, collects?: boolean) => Promise<BenchPeer>

/** A row of the table: a peer with the scenarios that suit it. */
export interface BenchRow {
  name: string
  /** File names of the scenarios in sipp/. */
  caller: string
  callee: string
  /** User part the caller dials. */
  service: string
  /** Media profile and one more attribute of the SDP. */
  keys: { profile: string; security: string }
  /** More arguments for both SIPp. */
  args?: string[]
  /** Starts the peer in front of a callee; undefined: the callee is called directly. */
  start?: StartPeer
}

/** Plain RTP. */
export const PLAIN = { profile: 'RTP/AVP', security: 'sendrecv' }

/** SDES-SRTP, as a pass-through between WhatsApp and a PBX needs it. */
export const SDES = {
  profile: 'RTP/SAVP',
  security: 'crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk',
}

/** Path of a scenario. */
export function scenario(name: string): string {
  return join(import.meta.dirname, 'sipp', name)
}
