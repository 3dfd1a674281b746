import ipaddr from 'ipaddr.js'
import type { NumberConfig, TrunkConfig } from '../../../config/types.ts'
import type { AnchorAbilities, Keying, Suite } from '../../anchor/types.ts'
import { nowhere } from '../../sdp/direction.ts'
import type { AudioDescription, Codec } from '../../sdp/types.ts'
import { formatsForPbx, formatsForWhatsApp, usableFormats } from './codecs.ts'
import { BUNDLED, PLAIN, type Places, PROFILES } from './describe.ts'
import { eventCodec, type Format, formatsOf, offeredCodecs } from './formats.ts'
import { narrowed, offeredSuites, type Protection } from './keying.ts'

/** An offer received, and how it is to be protected. */
export interface Received {
  audio: AudioDescription
  protection: Protection
}

/** What an offer of ours shall be like. */
export interface OfferPlan {
  keying: Keying
  profile: string
  suites: readonly Suite[]
  rtcpMux: boolean
  codecs: Codec[]
  places: Places
  /** What the other side has sent, if it has. */
  peer: AudioDescription | undefined
  /** Whether the remote reaches us by the external address. */
  external: boolean
}

const WHATSAPP_EVENT = 126
const PBX_EVENT = 101

/**
 * Our offer to WhatsApp: protected as the number is set, Opus and what the number has enabled,
 * events at 8000 Hz whether or not the PBX has them, one crypto line (dossier 6, 7.2).
 *
 * @param offer the PBX's; undefined when it wants ours later
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC`, `MEDIA_PTIME`
 */
export function planForWhatsApp(
  trunk: TrunkConfig,
  number: NumberConfig,
  offer: Received | undefined,
  abilities: AnchorAbilities,
): OfferPlan {
  const { srtp_key_exchange_protocol: protocol, audio } = number.calling
  const keying = protocol === 'SDES' ? 'sdes' : 'dtls'
  const trunkFormats = formatsOf(trunk.media.codecs)
  const formats = formatsForWhatsApp(
    offer ? usableFormats(offer.audio, trunkFormats) : trunkFormats,
    formatsOf(audio?.additional_codecs ?? []),
    trunkFormats,
    abilities.transcodes,
  )
  const numbering = abilities.renumbers ? [] : (offer?.audio.codecs ?? [])
  return {
    keying,
    profile: PROFILES[keying],
    suites: keying === 'sdes' ? offeredSuites(abilities).slice(0, 1) : [],
    rtcpMux: true,
    codecs: offeredCodecs(formats, eventCodec(WHATSAPP_EVENT, undefined), numbering, undefined),
    places: keying === 'dtls' ? BUNDLED : PLAIN,
    peer: offer && narrowed(offer.audio, offer.protection, undefined),
    external: true,
  }
}

/** What is known of WhatsApp's leg when the PBX is offered something. */
export interface WhatsAppSide {
  /** The format it has, or those it can have. */
  formats: readonly Format[]
  /** Its formats by their payload types. */
  codecs: readonly Codec[]
  remote: AudioDescription | undefined
  /** Its Opus parameters, which a PBX whose packets pass through should keep to. */
  opusParameters: string | undefined
}

/** What has been agreed on the PBX leg; undefined members on a new one. */
export interface PbxSide {
  remote: AudioDescription | undefined
  protection: Protection | undefined
  places: Places | undefined
  codecs: readonly Codec[]
}

/**
 * Our offer to the PBX: protected as the trunk says or the leg already is, its formats as far as
 * they reach WhatsApp, in the places of the leg's former description.
 *
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC`
 */
export function planForPbx(
  trunk: TrunkConfig,
  leg: PbxSide,
  whatsapp: WhatsAppSide,
  abilities: AnchorAbilities,
): OfferPlan {
  const keying = leg.protection?.keying ?? trunk.media.srtp
  const { transcodes, renumbers } = abilities
  const formats = formatsForPbx(formatsOf(trunk.media.codecs), whatsapp.formats, transcodes)
  const event = hasEvents(trunk) ? eventCodec(PBX_EVENT, PBX_EVENTS) : undefined
  const numbering = leg.codecs.length > 0 || renumbers ? leg.codecs : whatsapp.codecs
  return {
    keying,
    profile: leg.remote?.profile ?? PROFILES[keying],
    suites: keying === 'sdes' ? offeredSuites(abilities) : [],
    rtcpMux: leg.remote?.rtcpMux ?? keying === 'dtls',
    codecs: offeredCodecs(formats, event, numbering, whatsapp.opusParameters),
    places: leg.places ?? (keying === 'dtls' ? BUNDLED : PLAIN),
    peer: whatsapp.remote,
    external: reachedExternally(trunk, leg.remote),
  }
}

/** Events 0 to 16 (RFC 4733 §3.2: flash is 16). */
export const PBX_EVENTS = '0-16'

/** Whether keypresses travel in the PBX's audio stream rather than in INFO. */
export function hasEvents(trunk: TrunkConfig): boolean {
  return trunk.media.dtmf === 'rfc4733'
}

const LOCAL: readonly string[] = ['private', 'uniqueLocal', 'loopback', 'linkLocal']

/**
 * Whether a PBX reaches us by the external address: unless every address known of it, those of the
 * trunk's targets and that of its own description, is a local one. A name may be anywhere.
 */
export function reachedExternally(
  trunk: TrunkConfig,
  remote: AudioDescription | undefined,
): boolean {
  const addresses = trunk.targets.map((target) => target.host)
  if (remote && !nowhere(remote)) addresses.push(remote.address)
  const local = (address: string): boolean =>
    ipaddr.isValid(address) && LOCAL.includes(ipaddr.process(address).range())
  return addresses.length === 0 || !addresses.every(local)
}
