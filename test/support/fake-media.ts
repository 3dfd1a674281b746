import type { MediaRelay, MediaSession, Side } from '../../src/media/index.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'

/** Media that only writes down what it is asked; an SDP of `bad` is refused. */
export class FakeMedia implements MediaRelay {
  open_ = 0
  readonly asked: string[] = []
  /** Trunks sessions were opened for. */
  readonly trunks: string[] = []

  health(): { available: boolean; detail: string } {
    return { available: true, detail: '' }
  }

  open({ trunk }: { trunk: { name: string } }): MediaSession {
    this.open_++
    this.trunks.push(trunk.name)
    let released = false
    const shape = async (what: string, sdp: string): Promise<string> => {
      this.asked.push(what)
      if (released) throw new Error('released')
      if (sdp === 'bad') throw new CausewayError('CALL_OFFER_MISSING', { detail: 'bad sdp' })
      return `${what}(${sdp})`
    }
    return {
      offer: (from: Side, sdp) => shape(`offer ${from}`, sdp),
      answer: (from: Side, sdp) => shape(`answer ${from}`, sdp),
      reoffer: (sdp) => shape('reoffer', sdp ?? ''),
      agreed: { codec: 'opus', srtp: { whatsapp: 'sdes', pbx: 'sdes' } },
      release: () => {
        if (!released) this.open_--
        released = true
      },
    }
  }

  async close(): Promise<void> {}
}
