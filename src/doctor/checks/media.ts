import { isLoopback, isWildcard } from '../../config/addresses.ts'
import type { MediaConfig } from '../../config/types.ts'
import { isPrivate, sameAddress } from '../addresses.ts'
import { pass, problem, skip } from '../finding.ts'
import { reflect } from '../probe/stun.ts'
import type { Check, Finding } from '../types.ts'

/** Why the embedded relay's own checks do not apply; undefined when they do. */
function notEmbedded({ relay }: MediaConfig): string | undefined {
  if (relay === 'embedded') return undefined
  return relay === 'none'
    ? 'without a relay there is no media here'
    : 'rtpengine has ports of its own'
}

/** Ports bound one by one, beyond what the system's table shows. */
const SAMPLE = 24

/** The ports of calls: free, and bindable. A running instance is not disturbed. */
export const mediaPorts: Check = {
  id: 'media-ports',
  area: 'Media',
  title: 'the ports of media.ports are free',
  needs: ['media-address'],
  async run({ config, system, instance }) {
    const { media, limits } = config
    const other = notEmbedded(media)
    if (other) return [skip(other)]
    const running = (await instance.facts())?.checks.find(({ component }) => component === 'relay')
    if (running) return [pass(`the running instance has them: ${running.output}`)]
    const { min, max } = media.ports
    const taken = new Set<number>()
    for (const port of (await system.udpPorts()) ?? [])
      if (port >= min && port <= max) taken.add(port)
    for (const port of sample(min, max)) {
      if (!taken.has(port) && !(await system.bindable(media.listen, port))) taken.add(port)
    }
    return [judgePorts({ min, max }, taken, limits.calls)]
  },
}

/** Judges a range of which some ports are taken. */
export function judgePorts(
  { min, max }: { min: number; max: number },
  taken: ReadonlySet<number>,
  calls: number,
): Finding {
  let pairs = 0
  for (let port = min + (min % 2); port + 1 <= max; port += 2) {
    if (!taken.has(port) && !taken.has(port + 1)) pairs++
  }
  const range = `${min}-${max}`
  const named = [...taken].sort((a, b) => a - b)
  const list = `${named.slice(0, 8).join(', ')}${named.length > 8 ? ` and ${named.length - 8} more` : ''}`
  if (pairs === 0) {
    const evidence = `${range}: in use are ${list || 'none, but the range is too small'}`
    return problem('fail', 'DOCTOR_PORTS_NONE', { evidence })
  }
  const facts = `${pairs} pairs free in ${range}, for ${Math.floor(pairs / 2)} calls`
  // A stray port of a large range is nobody's trouble.
  const many = taken.size > (max - min + 1) / 100
  if (taken.size > 0 && (many || pairs < 2 * calls)) {
    return problem('warn', 'DOCTOR_PORTS_TAKEN', { evidence: `in use: ${list}; ${facts}` })
  }
  return pass(`${facts}${taken.size > 0 ? `; in use: ${list}` : ''}`)
}

/** Ports spread over the range, both ends among them. */
function sample(min: number, max: number): number[] {
  const count = Math.min(SAMPLE, max - min + 1)
  const step = (max - min) / Math.max(1, count - 1)
  return Array.from({ length: count }, (_, index) => Math.round(min + index * step))
}

/** Where media is sent to: what SDP says against what is bound. */
export const mediaAddress: Check = {
  id: 'media-address',
  area: 'Media',
  title: 'WhatsApp can send media to the address in SDP',
  needs: [],
  async run({ config, system, lab }) {
    const other = notEmbedded(config.media)
    if (other) return [skip(other)]
    return [judgeMediaAddress(config.media, system.addresses(), lab)]
  },
}

/** Judges the bound address and the one told in SDP. */
function judgeMediaAddress(
  { listen, externalAddress }: Pick<MediaConfig, 'listen' | 'externalAddress'>,
  own: readonly string[],
  lab: boolean,
): Finding {
  const every = isWildcard(listen)
  if (!every && !own.some((address) => sameAddress(address, listen))) {
    const evidence = `media.listen ${listen} is not among ${own.join(', ')}`
    return problem('fail', 'MEDIA_LISTEN', { evidence })
  }
  const told = externalAddress ?? listen
  const facts = `bound to ${listen}, SDP says ${told}`
  if (lab) return pass(`${facts} (a lab)`)
  if (!every && isLoopback(listen))
    return problem('fail', 'DOCTOR_MEDIA_ADDRESS', { evidence: facts })
  if (isPrivate(told)) return problem('fail', 'DOCTOR_MEDIA_ADDRESS', { evidence: facts })
  return pass(facts)
}

/** UDP out and back through a reflector, when one is named. */
export const udp: Check = {
  id: 'udp',
  area: 'Media',
  title: 'UDP comes back, from the address SDP says',
  needs: ['media-address'],
  async run({ config, stun, clock, random, signal }) {
    if (!stun) return [skip('no reflector is named: --stun HOST:PORT')]
    const { listen, externalAddress } = config.media
    const place = `${stun.host}:${stun.port}`
    const mapped = await reflect({ ...stun, listen, clock, random, signal })
    if (!mapped) {
      return [problem('fail', 'DOCTOR_UDP_BLOCKED', { evidence: `no answer from ${place}` })]
    }
    const told = externalAddress ?? (isWildcard(listen) ? undefined : listen)
    const evidence = `${place} sees us as ${mapped.address}, SDP says ${told ?? 'nothing definite'}`
    if (told !== undefined && !sameAddress(told, mapped.address)) {
      return [problem('fail', 'DOCTOR_EXTERNAL_ADDRESS', { evidence })]
    }
    return [pass(evidence)]
  },
}
