import { isIP } from 'node:net'
import type { MediaDescription, SessionDescription } from 'sdp-transform'
import { Secret } from '../../shared/secret.ts'
import type { Candidate, Dtls, Ice } from './types.ts'

const SETUPS: readonly string[] = ['actpass', 'active', 'passive', 'holdconn']
const CANDIDATE_TYPES: readonly string[] = ['host', 'srflx', 'prflx', 'relay']

/** Colon-separated pairs of hexadecimal digits (RFC 8122 §5). */
const FINGERPRINT = /^a=fingerprint:(\S+) ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})+)[ \t]*\r?$/gm

/**
 * The DTLS part: fingerprints of the m-line, or of the session when the m-line has none. A missing
 * `setup` counts as `actpass`, so that we become the active side of both an offer and an answer.
 *
 * @param index which m-line
 * @param setup value of the line that applies, if there is one
 */
export function parseDtls(
  text: string,
  index: number,
  setup: string | undefined,
): Dtls | undefined {
  const parts = text.split(/^(?=m=)/m)
  const own = fingerprintsOf(parts[index + 1] ?? '')
  const fingerprints = own.length > 0 ? own : fingerprintsOf(parts[0] ?? '')
  if (fingerprints.length === 0) return undefined
  const known = setup !== undefined && SETUPS.includes(setup)
  return { fingerprints, setup: known ? (setup as Dtls['setup']) : 'actpass' }
}

function fingerprintsOf(part: string): Dtls['fingerprints'] {
  return [...part.matchAll(FINGERPRINT)].map(([, algorithm, value]) => ({
    algorithm: algorithm!.toLowerCase(),
    value: value!.toUpperCase(),
  }))
}

/**
 * The ICE part: credentials of the m-line or the session, and the UDP candidates whose address is
 * a literal (browsers hide theirs behind `.local` names, and send checks from them all the same).
 */
export function parseIce(media: MediaDescription, session: SessionDescription): Ice | undefined {
  // sdp-transform turns digits into numbers.
  const ufrag = String(media.iceUfrag ?? session.iceUfrag ?? '')
  const password = String(media.icePwd ?? session.icePwd ?? '')
  if (ufrag === '' || password === '') return undefined
  const lite = session.icelite !== undefined
  const candidates: Candidate[] = []
  for (const line of media.candidates ?? []) {
    const address = String(line.ip)
    if (String(line.transport).toLowerCase() !== 'udp' || isIP(address) === 0) continue
    const { component, priority, port, type } = line
    if (!CANDIDATE_TYPES.includes(type) || !(port > 0 && port < 65_536)) continue
    if (!(Number(component) > 0 && Number(priority) > 0)) continue
    candidates.push({
      foundation: String(line.foundation),
      component,
      priority: Number(priority),
      address,
      port,
      type: type as Candidate['type'],
    })
  }
  return { ufrag, password: new Secret(password), lite, candidates }
}
