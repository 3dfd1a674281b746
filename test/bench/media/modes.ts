import type { Keying } from '../../../src/media/anchor/types.ts'
import type { Codec } from '../../../src/media/sdp/types.ts'

/** What one side of a call speaks. */
export interface SideMode {
  keying: Keying
  codec: Codec
}

/** A kind of call that is measured. */
export interface Mode {
  name: ModeName
  /** As tables say it. */
  title: string
  pbx: SideMode
  whatsapp: SideMode
}

export type ModeName = 'rtp-rtp' | 'rtp-sdes' | 'sdes-sdes' | 'rtp-dtls' | 'opus-pcma'

const format = (payloadType: number, name: string, clockRate: number): Codec => ({
  payloadType,
  name,
  clockRate,
  channels: name === 'opus' ? 2 : undefined,
  fmtp: undefined,
})
const PCMA = format(8, 'PCMA', 8_000)
const OPUS = format(111, 'opus', 48_000)

/** Every kind of call, in the order they are run. */
export const MODES: readonly Mode[] = [
  mode('rtp-rtp', 'RTP↔RTP', ['none', PCMA], ['none', PCMA]),
  mode('rtp-sdes', 'RTP↔SDES', ['none', PCMA], ['sdes', PCMA]),
  mode('sdes-sdes', 'SDES↔SDES', ['sdes', PCMA], ['sdes', PCMA]),
  mode('rtp-dtls', 'RTP↔DTLS', ['none', PCMA], ['dtls', PCMA]),
  mode('opus-pcma', 'Opus↔PCMA', ['none', PCMA], ['none', OPUS]),
]

function mode(
  name: ModeName,
  title: string,
  [pbxKeying, pbxCodec]: [Keying, Codec],
  [keying, codec]: [Keying, Codec],
): Mode {
  return {
    name,
    title,
    pbx: { keying: pbxKeying, codec: pbxCodec },
    whatsapp: { keying, codec },
  }
}

/** @throws RangeError when there is no mode of that name */
export function modeOf(name: string): Mode {
  const found = MODES.find((one) => one.name === name)
  if (!found) throw new RangeError(`${name} is none of ${MODES.map((one) => one.name).join(', ')}`)
  return found
}

/** Whether payloads change on their way. */
export function transcodes({ pbx, whatsapp }: Mode): boolean {
  return pbx.codec.name !== whatsapp.codec.name
}

/** Whether calls need a DTLS port each. */
export function usesDtls({ pbx, whatsapp }: Mode): boolean {
  return pbx.keying === 'dtls' || whatsapp.keying === 'dtls'
}
