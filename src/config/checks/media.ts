import { isIP } from 'node:net'
import { formatPath, type Path } from '../source.ts'
import type { Rule } from './context.ts'

/** Ports a call may take: RTP and RTCP on two legs. */
const PORTS_PER_CALL = 4

const rtpengine: Rule = (context) => {
  const media = context.draft.media
  if (media?.relay !== 'rtpengine' || media.rtpengine?.length !== 0) return
  if (context.isWrong(['media', 'rtpengine'])) return
  context.error('CONFIG_RTPENGINE_MISSING', {
    path: ['media', 'relay'],
    detail: 'media.rtpengine is empty',
    found: 'relay: rtpengine, and no address',
    expected: 'rtpengine: [udp://127.0.0.1:22222]',
  })
}

/** Keys that belong to another relay than the one chosen. */
const noEffect: Rule = (context) => {
  const relay = context.draft.media?.relay
  const own = ['listen', 'external_address', 'ports', 'workers', 'sockets', 'transcoding'].map(
    (key): Path => ['media', key],
  )
  const played: Path[] = [
    ['media', 'hold_music'],
    ...(context.draft.numbers ?? []).flatMap((number, index): Path[] => {
      const inbound: Path = ['numbers', index, 'inbound']
      const routes = (number?.inbound?.routes ?? []).keys()
      const places = [inbound, ...[...routes].map((route) => [...inbound, 'routes', route])]
      return places.flatMap((place) =>
        ['early_media', 'announcement'].map((key) => [...place, key]),
      )
    }),
  ]
  const unused: Path[] = []
  if (relay === 'none') unused.push(...own, ...played)
  if (relay === 'rtpengine') unused.push(...own)
  if (relay !== 'rtpengine' && relay !== undefined) unused.push(['media', 'rtpengine'])
  for (const path of unused) {
    if (!context.given(path)) continue
    const detail = `${formatPath(path)} with relay: ${relay}`
    context.warn('CONFIG_NO_EFFECT', { path, atKey: true, detail })
  }
}

/** What the embedded relay needs and cannot do. */
const embedded: Rule = (context) => {
  const { media, sip, limits, trunks } = context.draft
  if (media?.relay !== 'embedded') return
  const listen = media.listen ?? (sip?.listen?.pbx?.[0] ?? sip?.listen?.whatsapp)?.host
  const external = media.external_address ?? sip?.external_address
  if (listen !== undefined && isWildcard(listen) && external === undefined) {
    context.warn('CONFIG_MEDIA_ADDRESS', {
      path: ['media', 'listen'],
      atKey: media.listen === undefined,
      detail: `media.listen is ${listen}${media.listen === undefined ? ' by default' : ''}`,
      expected: 'an address such as 10.0.0.5',
    })
  }
  const ports = media.ports && media.ports.max - media.ports.min + 1
  const calls = limits?.calls
  if (ports !== undefined && calls !== undefined && ports < calls * PORTS_PER_CALL) {
    context.warn('CONFIG_PORTS_FEW', {
      path: ['media', 'ports'],
      atKey: !context.given(['media', 'ports']),
      detail: `${ports} ports for ${calls} calls`,
      expected: `at least ${calls * PORTS_PER_CALL} ports`,
    })
  }
  for (const [index, trunk] of (trunks ?? []).entries()) {
    if (trunk?.media?.srtp !== 'dtls') continue
    const detail = `trunk ${trunk.name ?? index}`
    context.warn('CONFIG_DTLS_NEEDS_ICE', { path: ['trunks', index, 'media', 'srtp'], detail })
  }
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || (isIP(address) === 6 && /^[0:]+$/.test(address))
}

const g722: Rule = (context) => {
  const relay = context.draft.media?.relay
  if (relay === 'rtpengine' || relay === undefined) return
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const at = trunk?.media?.codecs?.indexOf('G722') ?? -1
    const path = ['trunks', index, 'media', 'codecs', at]
    if (at < 0 || !context.given(path)) continue
    const detail = `trunk ${trunk?.name ?? index}`
    context.warn('CONFIG_CODEC_NEEDS_RTPENGINE', { path, detail })
  }
}

/** Keypresses that are to become INFO have to be told by the relay. */
const keypresses: Rule = (context) => {
  if (context.draft.media?.relay !== 'rtpengine') return
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    if (trunk?.media?.dtmf !== 'info') continue
    const path = ['trunks', index, 'media', 'dtmf']
    context.warn('CONFIG_DTMF_RTPENGINE', { path, detail: `trunk ${trunk.name ?? index}` })
  }
}

/** While the SDP is passed through, both legs have to speak SDES-SRTP. */
const sdes: Rule = (context) => {
  if (context.draft.media?.relay !== 'none') return
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const srtp = trunk?.media?.srtp
    if (srtp === undefined || srtp === 'sdes') continue
    const stated = context.given(['trunks', index, 'media', 'srtp'])
    context.warn('CONFIG_SDES_NEEDED', {
      path: ['trunks', index, 'media', 'srtp'],
      atKey: !stated,
      detail: `trunk ${trunk?.name ?? index} has srtp: ${srtp}${stated ? '' : ' by default'}`,
      expected: 'sdes',
    })
  }
  for (const [index, number] of (context.draft.numbers ?? []).entries()) {
    const path = ['numbers', index, 'calling', 'srtp_key_exchange_protocol']
    const calling = number?.calling
    if (!calling || calling.srtp_key_exchange_protocol === 'SDES' || context.isWrong(path)) continue
    if (calling.status === 'DISABLED' || number?.manage === 'off') continue
    const stated = context.given(path)
    context.warn('CONFIG_WHATSAPP_DTLS', {
      path,
      atKey: !stated,
      detail: `number ${number?.name ?? index} ${stated ? 'is set to DTLS' : 'does not say SDES'}`,
      expected: 'SDES',
    })
  }
}

/** Rules of `media:` and of the media of numbers and trunks. */
export const mediaRules: readonly Rule[] = [rtpengine, noEffect, embedded, g722, keypresses, sdes]
