import type {
  AnchorStatus,
  MediaCall,
  MediaRelay,
  MediaSession,
  Side,
} from '../../src/media/index.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'

/** Media that only writes down what it is asked; an SDP of `bad` is refused. */
export class FakeMedia implements MediaRelay {
  open_ = 0
  readonly asked: string[] = []
  /** Trunks sessions were opened for. */
  readonly trunks: string[] = []

  readonly kind = 'none'

  status(): AnchorStatus {
    return {
      available: true,
      detail: '',
      calls: this.open_,
      instances: [],
      ports: undefined,
      transcoding: undefined,
      totals: {},
    }
  }

  allocate({ trunk }: MediaCall): MediaSession {
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
      offer: (from: Side, sdp) => shape(`offer ${from}`, sdp ?? ''),
      early: async (sdp) => void (await shape('early', sdp)),
      acknowledge: async (sdp) => void (await shape('acknowledge', sdp)),
      retarget: (to) => shape('retarget', to.name),
      answerAlone: () => shape('answerAlone', ''),
      replace: async (sdp) => ({
        sdp: await shape('replace', sdp ?? ''),
        commit: async (answer) => void (await shape('commit', answer ?? '')),
        abandon: async () => void (await shape('abandon', '')),
      }),
      start: () => {
        this.asked.push('start')
      },
      play: async (to, playback) => void (await shape(`play ${to}`, playback?.file ?? '')),
      query: async () => undefined,
      answer: (from: Side, sdp) => shape(`answer ${from}`, sdp),
      reoffer: (sdp) => shape('reoffer', sdp ?? ''),
      agreed: { codec: { whatsapp: 'opus', pbx: 'opus' }, srtp: { whatsapp: 'sdes', pbx: 'sdes' } },
      release: async () => {
        if (!released) this.open_--
        released = true
        return undefined
      },
    }
  }

  async close(): Promise<void> {}
}
