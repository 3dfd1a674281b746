import type { Clock } from '../../shared/clock.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Secret } from '../../shared/secret.ts'
import type { MessageLimits } from '../message/types.ts'
import type { Traffic } from '../traffic.ts'
import type { CertificateInfo } from './certificate.ts'
import type { TransportMetrics } from './metrics.ts'
import type { TlsPeer } from './tls-peers.ts'
import type { Target, TransportEvents } from './types.ts'

/** `udp`, `tcp` or `tls`. */
export type TransportName = Target['transport']

/** A listener to open. */
export interface ListenerOptions {
  transport: TransportName
  /**
   * IP literal, IPv6 without brackets. `0.0.0.0` and `::` listen on every address of their family
   * and leave the other to a listener of its own.
   */
  host: string
  /** 0 lets the system choose; {@link ListenerInfo.port} is what it chose. */
  port: number
  /** Host for Via and Contact when the listener is behind NAT. */
  externalAddress?: string | undefined
  /** PEM file paths; required for TLS. Read again when the files change. */
  tls?: { cert: string; key: string } | undefined
  /** Who is behind it, for the counters. */
  peer?: string | undefined
  /**
   * Name under which refused INVITEs get a Reason and a Warning with the code; absent: they get none,
   * as behoves a listener that strangers reach.
   */
  warnAgent?: string | undefined
}

/** A listener that is open. */
export interface ListenerInfo {
  transport: TransportName
  /** As given in the options. */
  host: string
  /** The bound port. */
  port: number
  family: 4 | 6
  externalAddress: string | undefined
  /** The certificate in use; TLS only. */
  certificate: CertificateInfo | undefined
}

/** What of every listener can be changed while it is open. */
export interface ListenerChanges {
  /** PEM file paths of the TLS listeners. */
  tls: { cert: string; key: string } | undefined
  externalAddress: string | undefined
}

/** How outbound TLS connections verify and present themselves. */
export interface TlsClientOptions {
  /** PEM texts of trust anchors besides the system's. */
  ca?: string[] | undefined
  /** PEM texts of a client certificate, for peers that ask for one. */
  certificate?: { cert: string; key: Secret } | undefined
}

/** Bounds of the transport layer. Times in milliseconds. */
export interface TransportLimits extends MessageLimits {
  /** Open stream connections, both directions together; more are refused. */
  connections: number
  /** Bytes queued for one connection, connecting or open; beyond them it is closed. */
  writeQueueBytes: number
  /** How long a connection, TLS handshake included, may take to open. */
  connectTimeout: number
  /** How long an inbound connection may live without a first valid message. */
  firstMessageTimeout: number
  /** How long one message may take to arrive in full. */
  messageTimeout: number
  /** How long a connection may be silent in both directions. 0 is for ever. */
  idleTimeout: number
}

/** Defaults of {@link TransportLimits}. */
export const defaultTransportLimits: TransportLimits = {
  messageBytes: 65_536,
  headerBytes: 16_384,
  headerCount: 256,
  connections: 10_000,
  writeQueueBytes: 1_048_576,
  connectTimeout: 5_000,
  firstMessageTimeout: 30_000,
  messageTimeout: 30_000,
  idleTimeout: 1_800_000,
}

/** What became of a certificate reload. */
export type CertificateEvent =
  | { kind: 'reloaded'; listener: ListenerInfo }
  | { kind: 'failed'; listener: ListenerInfo; error: Error }

export interface TransportLayerOptions {
  listeners: ListenerOptions[]
  tlsClient?: TlsClientOptions | undefined
  /** Peers with TLS settings of their own. */
  tlsPeers?: readonly TlsPeer[] | undefined
  /** Deviations from {@link defaultTransportLimits}. */
  limits?: Partial<TransportLimits> | undefined
  /**
   * Interval of CRLF pings on outbound connections in milliseconds (RFC 5626 §4.4.1). A peer that
   * has answered one and stops answering loses its connection. Default 0: none.
   */
  keepalive?: number | undefined
  /** Quiet time after a certificate file changed before it is read, in milliseconds. Default 500. */
  certificateSettle?: number | undefined
  events: TransportEvents
  /** Hears of every certificate reload, successful or not. */
  certificateChanged?: ((event: CertificateEvent) => void) | undefined
  /**
   * Resolves the sent-by host of a Via when the address a request came from takes no connection
   * for its response (RFC 3263 §5). Absent: such a response fails.
   */
  resolveSentBy?:
    | ((host: string, port: number | undefined, transport: TransportName) => Promise<Target[]>)
    | undefined
  clock: Clock
  random: Random
  log: Logger
  /** Counters to update; new ones by default. */
  metrics?: TransportMetrics | undefined
  /** Counters of messages by peer; new ones of one peer by default. */
  traffic?: Traffic | undefined
}
