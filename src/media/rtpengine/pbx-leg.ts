import type { LegMedia, LegShape, LegTransport } from '../anchor/types.ts'
import type { AudioDescription } from '../sdp/types.ts'

/** A PBX leg as rtpengine knows it. */
export interface PbxLeg {
  readonly tag: string
  /** Whether it made its first offer itself. */
  offers: boolean
  shape: LegShape | undefined
  remote: AudioDescription | undefined
  media: LegMedia | undefined
  /** With all of rtpengine's crypto lines and its own tags. */
  transport: LegTransport | undefined
}

/** A leg nobody has spoken of yet. @param number of the leg in its call */
export function newLeg(number: number): PbxLeg {
  return {
    tag: `pbx${number}`,
    offers: false,
    shape: undefined,
    remote: undefined,
    media: undefined,
    transport: undefined,
  }
}
