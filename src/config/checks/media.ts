import type { Rule } from './context.ts'

const rtpengine: Rule = (context) => {
  const media = context.draft.media
  if (media?.relay !== 'rtpengine' || media.rtpengine?.length !== 0) return
  if (context.isWrong(['media', 'rtpengine'])) return
  context.error('CONFIG_RTPENGINE_MISSING', {
    path: ['media', 'relay'],
    detail: 'media.rtpengine is empty',
    expected: 'rtpengine: [udp://127.0.0.1:22222]',
  })
}

const relay: Rule = (context) => {
  const kind = context.draft.media?.relay
  if (kind === undefined || kind === 'none') return
  const stated = context.given(['media', 'relay'])
  context.warn('CONFIG_RELAY_NOT_BUILT', {
    path: ['media', 'relay'],
    atKey: !stated,
    detail: `media.relay is ${kind}${stated ? '' : ' by default'}`,
    expected: 'none',
  })
}

/** While the SDP is passed through, both legs have to speak SDES-SRTP. */
const sdes: Rule = (context) => {
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
export const mediaRules: readonly Rule[] = [rtpengine, relay, sdes]
