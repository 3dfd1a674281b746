import type { LogLevel } from '../shared/log.ts'
import type { EndedFlow } from './dialog/layer.ts'
import type { SipServerMetrics } from './metrics.ts'
import type { SipServerOptions } from './server.ts'
import type { ListenerInfo, TapBatch, TlsPeer } from './transport/index.ts'

/** Options a server in a worker takes: what can be cloned into another thread, and no more. */
export type CloneableOptions = Omit<
  SipServerOptions,
  'admin' | 'tlsClient' | 'log' | 'clock' | 'random' | 'dns' | 'certificateChanged' | 'flowEnded'
>

/** What a worker is started with. Secrets are plain here: they stay within the process. */
export interface WorkerInput {
  options: CloneableOptions
  admin: { host: string; port: number; secret: string }
  tlsClient: { ca: string[]; certificate: { cert: string; key: string } | undefined }
  logLevel: LogLevel
}

/** What of a running server can be changed; connections and dialogs live on. */
export interface ServerChanges {
  /** PEM files of every TLS listener from now on, read at once. */
  tls: { cert: string; key: string } | undefined
  /** Host for Via and Contact of every listener. */
  externalAddress: string | undefined
  logLevel: LogLevel
}

/** From the parent to the worker. `id` comes back with the answer, where there is one. */
export type WorkerRequest =
  | { kind: 'metrics'; id: number }
  | { kind: 'listeners'; id: number }
  | { kind: 'reload'; id: number }
  | { kind: 'configure'; id: number; changes: ServerChanges }
  | { kind: 'close'; id: number }
  | { kind: 'tls'; id: number; peers: readonly TlsPeer[] }
  /** Unanswered: the messages of the network come as `tapped` from now on, or no more. */
  | { kind: 'tap'; id: number; on: boolean }
  /** Unanswered: a batch has been dealt with. */
  | { kind: 'taken'; id: number; bytes: number }

/** A certificate reload, as it crosses threads. */
export interface CertificateReport {
  listener: ListenerInfo
  /** Absent when the new certificate is in use. */
  error: string | undefined
}

/** An error, as it crosses threads. */
export interface ErrorReport {
  /** Of the catalogue; undefined for an error that is not in it. */
  code: string | undefined
  detail: string | undefined
  place: string | undefined
  message: string
}

/** From the worker to the parent. */
export type WorkerReport =
  | { kind: 'ready'; admin: { host: string; port: number }; listeners: ListenerInfo[] }
  | { kind: 'failed'; error: ErrorReport }
  | { kind: 'log'; line: string }
  | { kind: 'certificate'; report: CertificateReport }
  | { kind: 'metrics'; id: number; metrics: SipServerMetrics }
  | { kind: 'listeners'; id: number; listeners: ListenerInfo[] }
  | { kind: 'reloaded'; id: number; reports: CertificateReport[] }
  | { kind: 'closed'; id: number }
  | { kind: 'tapped'; batch: TapBatch }
  | { kind: 'flow-ended'; ended: EndedFlow }
