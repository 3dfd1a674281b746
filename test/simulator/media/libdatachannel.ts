import { Audio, cleanup, PeerConnection, type Track } from 'node-datachannel'

/** A full ICE agent of another make with DTLS-SRTP: controlling, as a business has to be. */
export class DataChannelBusiness {
  readonly connection = new PeerConnection('business', {
    iceServers: [],
    bindAddress: '127.0.0.1',
    disableAutoNegotiation: true,
  })
  readonly track: Track
  /** RTP and RTCP that came, in the clear. */
  readonly received: Buffer[] = []
  #opened = false
  #sequence = 1000
  #timestamp = 5000

  constructor() {
    const audio = new Audio('audio', 'SendRecv')
    audio.addOpusCodec(111)
    this.track = this.connection.addTrack(audio)
    this.track.onMessage((packet) => this.received.push(Buffer.from(packet)))
    this.track.onOpen(() => {
      this.#opened = true
    })
  }

  /** Whether there are keys and a way to the other side. */
  get opened(): boolean {
    return this.#opened
  }

  async offer(): Promise<string> {
    return this.#describe('offer')
  }

  async answer(offer: string): Promise<string> {
    this.connection.setRemoteDescription(offer, 'offer')
    return this.#describe('answer')
  }

  accept(answer: string): void {
    this.connection.setRemoteDescription(answer, 'answer')
  }

  /** Sends one packet of Opus, 20 ms after the one before. */
  say(payload: Buffer): void {
    const header = Buffer.alloc(12)
    header[0] = 0x80
    header[1] = 111
    header.writeUInt16BE(this.#sequence++, 2)
    header.writeUInt32BE(this.#timestamp, 4)
    header.writeUInt32BE(0x77, 8)
    this.#timestamp += 960
    this.track.sendMessageBinary(Buffer.concat([header, payload]))
  }

  close(): void {
    this.connection.close()
  }

  async #describe(type: 'offer' | 'answer'): Promise<string> {
    const gathered = new Promise<void>((resolve) => {
      this.connection.onGatheringStateChange((state) => {
        if (state === 'complete') resolve()
      })
    })
    this.connection.setLocalDescription(type)
    await gathered
    return this.connection.localDescription()?.sdp ?? ''
  }
}

/** Its threads would keep the process: to be called when all is over. */
export { cleanup }
