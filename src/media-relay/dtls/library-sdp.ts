import { isIPv6 } from 'node:net'
import type { Candidate } from '../../media/sdp/types.ts'
import { Secret } from '../../shared/secret.ts'
import type { DtlsPeer, Role, Target } from './peer.ts'

/** `mid` of the one stream in every description that the library sees. */
export const MID = 'audio'

/** Our end as the library made it. */
export interface LocalEnd {
  ufrag: string
  password: Secret
  fingerprint: { algorithm: string; value: string }
  candidates: Candidate[]
}

/**
 * The description of the remote end in the library's language. Candidates are handed over apart.
 * Formats and directions mean nothing here: every packet goes up and down as it is.
 */
export function writeRemote(peer: DtlsPeer, role: Role): string {
  const { ufrag, password, lite, fingerprint } = peer
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    // Of the session: the library passes its ICE agent no such line of a stream.
    ...(lite ? ['a=ice-lite'] : []),
    `m=audio 9 UDP/TLS/RTP/SAVPF ${PAYLOAD_TYPE}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${MID}`,
    'a=sendrecv',
    'a=rtcp-mux',
    `a=rtpmap:${PAYLOAD_TYPE} opus/48000/2`,
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${password.reveal()}`,
    `a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
    // Ours follows from it.
    `a=setup:${role === 'active' ? 'passive' : 'active'}`,
    '',
  ].join('\r\n')
}

/** Stands for the stream in descriptions that the library sees. */
export const PAYLOAD_TYPE = 111

/** A candidate line; `foundation` makes the library take one that it has for a new one. */
export function writeCandidate(target: Target, foundation: string): string {
  const { priority, address, port } = target
  return `candidate:${foundation} 1 udp ${priority} ${address} ${port} typ host`
}

/** A candidate line for each target of a peer. */
export function candidateLines({ targets }: DtlsPeer): string[] {
  return targets.map((target, n) => writeCandidate(target, String(n + 1)))
}

/** Our end from the library's local description; undefined when it is not complete. */
export function readLocal(sdp: string): LocalEnd | undefined {
  const ufrag = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1]
  const password = /^a=ice-pwd:(\S+)/m.exec(sdp)?.[1]
  const [, algorithm, value] = /^a=fingerprint:(\S+) (\S+)/m.exec(sdp) ?? []
  if (!ufrag || !password || !algorithm || !value) return undefined
  const candidates: Candidate[] = []
  for (const match of sdp.matchAll(CANDIDATE)) {
    const [, foundation, priority, address, port] = match as unknown as string[]
    candidates.push({
      foundation: foundation!,
      component: 1,
      priority: Number(priority),
      address: address!,
      port: Number(port),
      type: 'host',
    })
  }
  if (candidates.length === 0) return undefined
  return { ufrag, password: new Secret(password), fingerprint: { algorithm, value }, candidates }
}

const CANDIDATE = /^a=candidate:(\S+) 1 udp (\d+) (\S+) (\d+) typ host/gim

/**
 * Candidates with the public address in place of those of this machine (1:1 NAT): one of its
 * family, with the priority of the best.
 */
export function advertise(candidates: readonly Candidate[], address: string): Candidate[] {
  const best = candidates.toSorted((a, b) => b.priority - a.priority)
  const same = best.find((one) => isIPv6(one.address) === isIPv6(address)) ?? best[0]
  return same ? [{ ...same, address }] : []
}
