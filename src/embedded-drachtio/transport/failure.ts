import { CausewayError, isCausewayError } from '../../shared/errors/index.ts'
import type { ListenerOptions } from './options.ts'
import type { Target } from './types.ts'

/** `tls 192.0.2.1:5061 (sip.example.com)`, for messages to people. */
export function nameTarget(target: Target): string {
  const host = target.address.includes(':') ? `[${target.address}]` : target.address
  const domain = target.domain === target.address ? '' : ` (${target.domain})`
  return `${target.transport} ${host}:${target.port}${domain}`
}

// OpenSSL's verdicts on a chain, as Node names them, and Node's own on the name.
const verification =
  /^(ERR_TLS_CERT|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH|CRL_|ERROR_IN_CERT)/

/**
 * The coded error of a connection that failed: verification, TLS handshake or everything else.
 * `handshaking` tells that TCP was up when it happened.
 */
export function connectionError(target: Target, cause: Error, handshaking: boolean): CausewayError {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  const context = { detail: `${nameTarget(target)}: ${explain(cause, code, handshaking)}`, cause }
  if (verification.test(code)) return new CausewayError('SIP_TLS_VERIFY_FAILED', context)
  if (handshaking) return new CausewayError('SIP_TLS_HANDSHAKE_FAILED', context)
  return new CausewayError('SIP_CONNECT_FAILED', context)
}

/** What a failed TLS handshake came from, in words. */
export function explainTls(cause: Error): string {
  return explain(cause, (cause as NodeJS.ErrnoException).code ?? '', true)
}

function explain(cause: Error, code: string, handshaking: boolean): string {
  // OpenSSL's texts carry a thread number and source lines before what matters.
  const alert = /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3)_(?:ALERT_)?(.+)$/.exec(code)
  if (alert) return `the peer sent the alert ${alert[1]!.toLowerCase().replaceAll('_', ' ')}`
  if (/^ERR_SSL_|^EPROTO$/.test(code)) return tail(cause.message) || code
  if (handshaking && (code === 'ECONNRESET' || code === 'EPIPE')) {
    return 'the peer closed the connection during the TLS handshake'
  }
  return cause.message
}

function tail(message: string): string {
  const parts = message.trim().split(':').filter(Boolean)
  return parts.length > 5 ? (parts[5] ?? message) : message
}

/** The coded error of a listener that could not be opened. */
export function listenError(options: ListenerOptions, cause: unknown): CausewayError {
  if (isCausewayError(cause)) return cause
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new CausewayError('SIP_LISTEN_FAILED', {
    detail: `${options.transport}://${host}:${options.port}: ${reason}`,
    cause,
  })
}
