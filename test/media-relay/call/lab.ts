import type { LegId, LegShape, LegTransport, MediaEvent } from '../../../src/media/anchor/types.ts'
import type { AudioDescription } from '../../../src/media/sdp/types.ts'
import type { Call } from '../../../src/media-relay/call/call.ts'
import { createEngine, type Engine } from '../../../src/media-relay/call/engine.ts'
import type { Wire, WireEvents, WireFacts } from '../../../src/media-relay/io/types.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { EVENTS, legMedia, legShape, OPUS } from '../../support/rtp-peer.ts'

/** A packet that left, with the time of the fake clock. */
export interface Sent {
  payloadType: number
  marker: boolean
  sequence: number
  timestamp: number
  ssrc: number
  payload: Buffer
  at: number
}

/** A wire without a network: packets that leave are kept, others are handed in. */
export class FakeWire implements Wire {
  ready = false
  /** Whether {@link ready} comes with the description, as without DTLS. */
  static instantly = true
  closed = false
  refuses: Error | undefined
  readonly sent: Sent[] = []
  readonly reports: Buffer[] = []
  /** Told of each packet instead of keeping it, for long runs. */
  onSent: ((slot: Buffer, length: number) => void) | undefined
  readonly events: WireEvents
  readonly kind: string
  readonly #clock: FakeClock
  readonly #ssrc: number
  ssrc = 0x2000
  sequence = 65_500
  timestamp = 4_294_960_000

  constructor(kind: string, ssrc: number, events: WireEvents, clock: FakeClock) {
    this.kind = kind
    this.#ssrc = ssrc
    this.events = events
    this.#clock = clock
  }

  async offer(shape: LegShape): Promise<LegTransport> {
    return this.#transport(shape)
  }

  async accept(answer: AudioDescription): Promise<void> {
    this.#take(answer)
  }

  async answer(offer: AudioDescription, shape: LegShape): Promise<LegTransport> {
    this.#take(offer)
    return this.#transport(shape)
  }

  sendRtp(slot: Buffer, length: number): void {
    if (this.onSent) {
      this.onSent(slot, length)
      return
    }
    this.sent.push({
      payloadType: slot[1]! & 0x7f,
      marker: slot[1]! >= 0x80,
      sequence: slot.readUInt16BE(2),
      timestamp: slot.readUInt32BE(4),
      ssrc: slot.readUInt32BE(8),
      payload: Buffer.from(slot.subarray(12, length)),
      at: this.#clock.monotonic(),
    })
  }

  sendRtcp(slot: Buffer, length: number): void {
    this.reports.push(Buffer.from(slot.subarray(0, length)))
  }

  facts(): WireFacts {
    return {
      suite: undefined,
      local: '192.0.2.1:4000',
      remote: '192.0.2.2:4000',
      ice: undefined,
      dtls: undefined,
      auth: 0,
      replayed: 0,
      wrongSource: 0,
      malformed: 0,
      strange: undefined,
    }
  }

  async close(): Promise<void> {
    this.closed = true
  }

  /** Keys and address are there, later than the description. */
  becomeReady(): void {
    this.ready = true
    this.events.onReady()
  }

  /** Hands in the next packet of a stream. */
  receive(payload: Uint8Array | string, changes: Partial<Sent> = {}, ticks = 960): void {
    const { payloadType = 111, marker = false } = changes
    const { sequence = this.sequence, timestamp = this.timestamp, ssrc = this.ssrc } = changes
    const body = typeof payload === 'string' ? Buffer.from(payload) : payload
    const packet = Buffer.alloc(12 + body.length)
    packet[0] = 0x80
    packet[1] = payloadType | (marker ? 0x80 : 0)
    packet.writeUInt16BE(sequence, 2)
    packet.writeUInt32BE(timestamp, 4)
    packet.writeUInt32BE(ssrc, 8)
    packet.set(body, 12)
    this.sequence = (sequence + 1) & 0xffff
    this.timestamp = (timestamp + ticks) >>> 0
    this.events.onRtp(packet, packet.length)
  }

  #take(description: AudioDescription): void {
    if (this.refuses) throw this.refuses
    const first = !this.ready
    this.ready = FakeWire.instantly && description.address !== '0.0.0.0'
    if (first && this.ready) this.events.onReady()
  }

  #transport(shape: LegShape): LegTransport {
    return {
      address: '192.0.2.1',
      family: 4,
      port: 4000,
      rtcpPort: undefined,
      rtcpMux: shape.rtcpMux,
      crypto: [],
      dtls: undefined,
      ice: undefined,
      ssrc: this.#ssrc,
      cname: 'lab',
    }
  }
}

/** A remote's description; its address alone matters here. */
export function description(address = '192.0.2.2'): AudioDescription {
  return {
    address,
    family: 4,
    port: 4000,
    rtcp: undefined,
    profile: 'RTP/AVP',
    direction: 'sendrecv',
    codecs: [OPUS, EVENTS],
    ptime: 20,
    maxptime: undefined,
    crypto: [],
    dtls: undefined,
    ice: undefined,
    rtcpMux: true,
    mid: undefined,
    bundle: false,
    index: 0,
    others: [],
  }
}

/** An engine on fake wires and a clock moved by hand, with one call. */
export class CallLab {
  readonly clock = new FakeClock()
  readonly wires: FakeWire[] = []
  readonly events: MediaEvent[] = []
  engine!: Engine
  call!: Call

  static async open(options: { transcoding?: number } = {}): Promise<CallLab> {
    FakeWire.instantly = true
    const lab = new CallLab()
    lab.engine = await createEngine(
      {
        listen: '127.0.0.1',
        externalAddress: undefined,
        ports: { min: 20_000, max: 20_009 },
        transcoding: options.transcoding ?? 0,
        clock: lab.clock,
        random: new FakeRandom(),
        log: silentLogger(),
      },
      (kind, { ssrc }, events) => {
        const wire = new FakeWire(kind, ssrc, events, lab.clock)
        lab.wires.push(wire)
        return wire
      },
    )
    lab.call = lab.engine.allocate('lab', (event) => lab.events.push(event))
    return lab
  }

  /** Describes both legs: the PBX answers our offer, then WhatsApp's is answered. */
  async connect(media: Partial<Record<LegId, ReturnType<typeof legMedia>>> = {}): Promise<void> {
    await this.call.offer('pbx', legShape(), description())
    await this.call.accept('pbx', description(), media.pbx ?? legMedia())
    await this.call.answer('whatsapp', description(), legShape(), media.whatsapp ?? legMedia())
  }

  get pbx(): FakeWire {
    return this.wires[0]!
  }

  get whatsapp(): FakeWire {
    return this.wires[1]!
  }

  /** Moves time in steps of 20 ms; `each` is called at every step. */
  run(ms: number, each: () => void = () => {}): void {
    for (let passed = 0; passed < ms; passed += 20) {
      each()
      this.clock.advance(20)
    }
  }

  told(type: MediaEvent['type']): MediaEvent[] {
    return this.events.filter((event) => event.type === type)
  }
}
