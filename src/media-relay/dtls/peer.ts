import { isIP, isIPv6 } from 'node:net'
import type { AudioDescription, Candidate } from '../../media/sdp/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Secret } from '../../shared/secret.ts'

/** The DTLS role of an end: the active one is the client (RFC 4145 §4). */
export type Role = 'active' | 'passive'

/** A remote host and port to check. */
export interface Target {
  address: string
  port: number
  /** 1 to 2^31 - 1. */
  priority: number
}

/**
 * A remote end as the library may hear of it: every value has been looked at, because the library
 * ends the process over some that it does not like.
 */
export interface DtlsPeer {
  ufrag: string
  password: Secret
  lite: boolean
  /** Of the socket's family, highest priority first; may be empty, then the peer has to check us. */
  targets: readonly Target[]
  /** Hash function of RFC 8122 §5, and the value in upper case. */
  fingerprint: { algorithm: string; value: string }
  setup: 'actpass' | Role
  rtcpMux: boolean
}

/** Octets of each hash, the one preferred first. MD5 and MD2 are not to be used (RFC 8122 §5). */
const HASHES: Readonly<Record<string, number>> = {
  'sha-256': 32,
  'sha-384': 48,
  'sha-512': 64,
  'sha-224': 28,
  'sha-1': 20,
}

/** RFC 8839 §5.4, and the characters that real ones have beside: WhatsApp's passwords end in `==`. */
const UFRAG = /^[A-Za-z0-9+/=_.~-]{4,256}$/
const PASSWORD = /^[A-Za-z0-9+/=_.~-]{22,256}$/
/** More are left out; the library has room for 30. */
const MAX_TARGETS = 8
const MAX_PRIORITY = 2 ** 31 - 1

/**
 * Reads the ICE and DTLS part of a description for a socket of the given family.
 *
 * @throws CausewayError `MEDIA_DTLS_WITHOUT_ICE`, `MEDIA_ICE_INVALID`
 */
export function readPeer(description: AudioDescription, family: 4 | 6): DtlsPeer {
  const { dtls, ice, rtcpMux } = description
  if (!dtls) throw invalid('no fingerprint')
  if (!ice) throw new CausewayError('MEDIA_DTLS_WITHOUT_ICE')
  if (!UFRAG.test(ice.ufrag)) throw invalid('ice-ufrag: 4 to 256 of A-Z a-z 0-9 + / =')
  if (!PASSWORD.test(ice.password.reveal()))
    throw invalid('ice-pwd: 22 to 256 of A-Z a-z 0-9 + / =')
  if (dtls.setup === 'holdconn') throw invalid('setup:holdconn')
  const targets = readTargets(ice.candidates, family)
  if (ice.lite && targets.length === 0) {
    throw invalid(`ice-lite without an IPv${family} candidate for RTP over UDP`)
  }
  return {
    ufrag: ice.ufrag,
    password: ice.password,
    lite: ice.lite,
    targets,
    fingerprint: readFingerprint(dtls.fingerprints),
    setup: dtls.setup,
    rtcpMux,
  }
}

/** Whether two descriptions are of the same ICE session and certificate: no restart (RFC 8445 §9). */
export function isSamePeer(one: DtlsPeer, other: DtlsPeer): boolean {
  return (
    one.ufrag === other.ufrag &&
    one.password.equals(other.password) &&
    one.fingerprint.algorithm === other.fingerprint.algorithm &&
    one.fingerprint.value === other.fingerprint.value
  )
}

function readFingerprint(
  fingerprints: readonly { algorithm: string; value: string }[],
): DtlsPeer['fingerprint'] {
  for (const [algorithm, octets] of Object.entries(HASHES)) {
    const found = fingerprints.find((one) => one.algorithm.toLowerCase() === algorithm)
    if (!found) continue
    const value = found.value.toUpperCase()
    if (value.length !== octets * 3 - 1 || !/^[0-9A-F]{2}(:[0-9A-F]{2})*$/.test(value)) {
      throw invalid(`fingerprint: ${octets} octets in hexadecimal for ${algorithm}`)
    }
    return { algorithm, value }
  }
  throw invalid('fingerprint: no hash function but sha-1 to sha-512 is taken')
}

function readTargets(candidates: readonly Candidate[], family: 4 | 6): Target[] {
  const targets: Target[] = []
  for (const { address, port, priority, component } of candidates) {
    // Names (mDNS) and the other family cannot be reached from this socket; component 2 is RTCP's.
    if (component !== 1 || isIP(address) !== family || address.includes('%')) continue
    if (!Number.isInteger(port) || port < 1 || port > 65535 || isNobody(address)) continue
    if (targets.some((one) => one.address === address && one.port === port)) continue
    const valid = Number.isInteger(priority) && priority > 0
    targets.push({ address, port, priority: valid ? Math.min(priority, MAX_PRIORITY) : 1 })
  }
  return targets.sort((a, b) => b.priority - a.priority).slice(0, MAX_TARGETS)
}

/** Unspecified, broadcast and multicast addresses. */
function isNobody(address: string): boolean {
  if (isIPv6(address)) return /^(::|::ffff:0\.0\.0\.0|ff.*)$/i.test(address)
  const first = Number(address.split('.', 1)[0])
  return first === 0 || first >= 224
}

function invalid(detail: string): CausewayError {
  return new CausewayError('MEDIA_ICE_INVALID', { detail })
}
