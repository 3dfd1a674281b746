import { readFileSync } from 'node:fs'
import { createSecureContext, getCACertificates } from 'node:tls'
import { Agent } from 'undici'
import { CausewayError } from '../shared/errors/index.ts'

/** Largest answer that is read; real ones are a few kilobytes. */
const MAX_RESPONSE = 1024 * 1024

/**
 * The connection pool towards the Graph API. An additional trust anchor adds to the system's roots,
 * it does not replace them.
 *
 * @param ca absolute path of a PEM file
 * @throws SETTINGS_CA_UNREADABLE
 */
export function createAgent(ca: string | undefined): Agent {
  const connect = ca === undefined ? {} : { ca: [...getCACertificates('default'), readAnchor(ca)] }
  return new Agent({ connect, maxResponseSize: MAX_RESPONSE })
}

/**
 * The PEM text of a trust anchor.
 *
 * @throws SETTINGS_CA_UNREADABLE when the file cannot be read or holds no certificate
 */
export function readAnchor(path: string): string {
  try {
    const pem = readFileSync(path, 'utf8')
    createSecureContext({ ca: pem })
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no certificate inside')
    return pem
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    throw new CausewayError('SETTINGS_CA_UNREADABLE', { detail, place: path, cause })
  }
}
