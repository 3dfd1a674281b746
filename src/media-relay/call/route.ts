import type { Codec } from '../../media/sdp/types.ts'
import { createTranscoder, frameTicks, opusTicks } from '../codec/index.ts'
import type { RtpHeader } from '../rtp/index.ts'
import { FrameRoute } from './frame-route.ts'
import type { Outlet } from './outlet.ts'

/** The way of one audio format from the leg it comes from to the leg it goes to. */
export interface Route {
  /** Takes a received audio packet. `now` is monotonic milliseconds. */
  audio(header: RtpHeader, packet: Buffer, nowMs: number): void
  close(): void
}

/** Whether two formats are the same, so that payloads pass as they are. */
export function sameFormat(a: Codec, b: Codec): boolean {
  return a.name.toLowerCase() === b.name.toLowerCase() && a.clockRate === b.clockRate
}

/**
 * Makes the way from a format to what an outlet sends.
 *
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC` when it cannot be converted
 */
export function createRoute(from: Codec, outlet: Outlet, to: Codec): Route {
  if (!sameFormat(from, to)) return converting(from, outlet, to)
  const name = from.name.toLowerCase()
  if (name === 'opus') return new OpusRoute(outlet)
  if (name === 'pcma' || name === 'pcmu') return new G711Route(outlet, from)
  return new OctetRoute(outlet)
}

function converting(from: Codec, outlet: Outlet, to: Codec): FrameRoute {
  return new FrameRoute({
    outlet,
    transcoder: createTranscoder(from, to),
    sourceTicks: frameTicks(from.name),
    targetTicks: frameTicks(to.name),
    opus: from.name.toLowerCase() === 'opus',
  })
}

/** Passes G.722, which has an octet to each tick. */
class OctetRoute implements Route {
  readonly #outlet: Outlet

  constructor(outlet: Outlet) {
    this.#outlet = outlet
  }

  audio(header: RtpHeader, packet: Buffer, nowMs: number): void {
    this.#outlet.forward(header, packet, header.payloadEnd - header.payloadStart, nowMs)
  }

  close(): void {}
}

/** Passes Opus packets. */
class OpusRoute implements Route {
  readonly #outlet: Outlet

  constructor(outlet: Outlet) {
    this.#outlet = outlet
  }

  audio(header: RtpHeader, packet: Buffer, nowMs: number): void {
    const ticks = opusTicks(packet, header.payloadStart, header.payloadEnd)
    this.#outlet.forward(header, packet, ticks > 0 ? ticks : 960, nowMs)
  }

  close(): void {}
}

/** Octets of 20 ms of G.711, and as many ticks. */
const G711_FRAME = 160

/** Passes G.711 packets of 20 ms; a source with other ones is cut anew from then on. */
class G711Route implements Route {
  readonly #outlet: Outlet
  readonly #codec: Codec
  #ssrc = -1
  #cutter: FrameRoute | undefined

  constructor(outlet: Outlet, codec: Codec) {
    this.#outlet = outlet
    this.#codec = codec
  }

  audio(header: RtpHeader, packet: Buffer, nowMs: number): void {
    if (header.ssrc !== this.#ssrc) {
      this.#ssrc = header.ssrc
      this.close()
    }
    if (!this.#cutter) {
      if (header.payloadEnd - header.payloadStart === G711_FRAME) {
        this.#outlet.forward(header, packet, G711_FRAME, nowMs)
        return
      }
      this.#cutter = converting(this.#codec, this.#outlet, this.#codec)
    }
    this.#cutter.audio(header, packet, nowMs)
  }

  close(): void {
    this.#cutter?.close()
    this.#cutter = undefined
  }
}
