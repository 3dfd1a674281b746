import type { Config, MediaConfig, NumberConfig, TrunkConfig } from '../../config/types.ts'
import { pass, problem, skip } from '../finding.ts'
import type { Check, Finding } from '../types.ts'

/** Pairs of a number and a trunk that calls go between. */
export function pairs(config: Config): { number: NumberConfig; trunk: TrunkConfig }[] {
  return config.numbers.flatMap((number) =>
    config.trunks
      .filter(
        ({ name, outbound }) =>
          trunksOf(number.inbound).has(name) ||
          outbound.number === number.name ||
          outbound.prefixes.some((prefix) => prefix.number === number.name),
      )
      .map((trunk) => ({ number, trunk })),
  )
}

/** Names of the trunks calls to a number may be sent to. */
function trunksOf(inbound: NumberConfig['inbound']): ReadonlySet<string> {
  if (!inbound) return new Set()
  const called = inbound.routes.filter(({ refuse }) => refuse === undefined)
  const ways = [inbound, ...called.map((route) => route.inbound)]
  return new Set(ways.flatMap(({ trunk, overflow }) => [trunk, ...overflow.map((it) => it.trunk)]))
}

/** How audio gets from a number's codecs to a trunk's. */
export type CodecFit = 'common' | 'converted' | 'none'

/**
 * @param whatsapp codecs of the number: Opus and the additional ones
 * @param trunk codecs of the trunk
 */
export function codecFit(
  media: Pick<MediaConfig, 'relay' | 'transcoding'>,
  whatsapp: readonly string[],
  trunk: readonly string[],
): CodecFit {
  if (trunk.some((codec) => whatsapp.includes(codec))) return 'common'
  if (media.relay === 'none') return 'none'
  if (media.relay === 'rtpengine') return 'converted'
  const convertible = trunk.some((codec) => codec === 'PCMA' || codec === 'PCMU')
  return convertible && media.transcoding > 0 ? 'converted' : 'none'
}

/** Codecs of the trunks against those of the numbers. */
export const codecs: Check = {
  id: 'codecs',
  area: 'PBX',
  title: 'numbers and trunks have a codec in common, or the relay converts',
  needs: [],
  async run({ config, graph }) {
    const all = await Promise.all(
      pairs(config).map(async ({ number, trunk }) => {
        const { settings } = await graph.settings(number)
        const wanted = number.calling.audio?.additional_codecs
        const enabled = settings?.actual.audio.additional_codecs
        const more = (number.manage === 'off' ? undefined : wanted) ?? enabled ?? []
        return judgeCodecs(config.media, number, trunk, ['opus', ...more])
      }),
    )
    return all.length > 0 ? all : [skip('no number and trunk are joined')]
  },
}

/** Judges one pair of number and trunk. */
function judgeCodecs(
  media: MediaConfig,
  number: Pick<NumberConfig, 'name'>,
  trunk: Pick<TrunkConfig, 'name' | 'media'>,
  whatsapp: readonly string[],
): Finding {
  const subject = `number ${number.name}, trunk ${trunk.name}`
  const theirs = trunk.media.codecs
  const fit = codecFit(media, whatsapp, theirs)
  if (fit === 'common') {
    const both = theirs.filter((codec) => whatsapp.includes(codec))
    return pass(`both have ${both.join(', ')}`, subject)
  }
  const facts = `the number has ${whatsapp.join(', ')}, the trunk ${theirs.join(', ')}`
  if (fit === 'converted') {
    const most = media.relay === 'embedded' ? `, at most ${media.transcoding} calls at a time` : ''
    return pass(`${facts}: the relay converts${most}`, subject)
  }
  const converts =
    media.relay === 'embedded' ? `media.transcoding is ${media.transcoding}` : 'no relay converts'
  return problem('fail', 'DOCTOR_CODEC_MISFIT', { subject, evidence: `${facts}; ${converts}` })
}

/** Protection of the trunks against what the relay can do. */
export const trunkSrtp: Check = {
  id: 'trunk-srtp',
  area: 'PBX',
  title: 'the protection of the trunks fits the relay',
  needs: [],
  async run({ config }) {
    if (config.trunks.length === 0) return [skip('no trunks are configured')]
    return config.trunks.map(({ name, media }) => judgeSrtp(config.media, name, media.srtp))
  },
}

/** Judges the protection of one trunk. */
function judgeSrtp(
  { relay }: Pick<MediaConfig, 'relay'>,
  name: string,
  srtp: TrunkConfig['media']['srtp'],
): Finding {
  const subject = `trunk ${name}`
  if (relay !== 'none' || srtp === 'sdes') return pass(`srtp: ${srtp}, relay ${relay}`, subject)
  const evidence = `srtp: ${srtp} with media.relay: none`
  return problem('fail', 'DOCTOR_SRTP_TRUNK', { subject, evidence })
}
