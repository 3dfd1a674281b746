import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { decodeNg, encodeNg, type NgValue } from '../../src/media/rtpengine/bencode.ts'
import type { NgDictionary } from '../../src/media/rtpengine/client.ts'

/** An rtpengine that answers as it is told, over a real socket. */
export class FakeRtpengine {
  /** Commands received, repetitions included. */
  readonly requests: NgDictionary[] = []
  /** Makes the reply; undefined: none is sent. */
  reply: (request: NgDictionary) => NgDictionary | undefined = canned
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (message, from) => this.#onMessage(message, from))
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(): Promise<FakeRtpengine> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new FakeRtpengine(socket)
  }

  get address(): string {
    return `udp://127.0.0.1:${this.port}`
  }

  get port(): number {
    return this.#socket.address().port
  }

  /** Commands by name, without pings. */
  get commands(): string[] {
    return this.requests.map((one) => String(one['command'])).filter((name) => name !== 'ping')
  }

  async stop(): Promise<void> {
    this.#socket.close()
    await once(this.#socket, 'close')
  }

  #onMessage(message: Buffer, from: RemoteInfo): void {
    const space = message.indexOf(0x20)
    const cookie = message.toString('latin1', 0, space)
    const request = decodeNg(message.subarray(space + 1)) as NgDictionary
    this.requests.push(request)
    const reply = this.reply(request)
    if (!reply) return
    const packet = Buffer.concat([Buffer.from(`${cookie} `), encodeNg(reply)])
    this.#socket.send(packet, from.port, from.address)
  }
}

/** Ports given by {@link canned}: to the PBX, to WhatsApp. */
export const PORTS = { offer: 30_000, answer: 30_010 }

/** What an rtpengine in good health says. */
export function canned(request: NgDictionary): NgDictionary {
  switch (request['command']) {
    case 'ping':
      return { result: 'pong' }
    case 'offer':
    case 'answer':
      return { result: 'ok', sdp: sdpOf(PORTS[request['command']], String(request['sdp'])) }
    case 'query':
    case 'delete':
      return { result: 'ok', tags: tags() }
    default:
      return { result: 'ok' }
  }
}

function sdpOf(port: number, received: string): string {
  const formats = /^m=audio \d+ \S+ (.*)\r$/m.exec(received)?.[1] ?? '8'
  return `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio ${port} RTP/AVP ${formats}\r\nc=IN IP4 127.0.0.1\r\na=sendrecv\r\n`
}

function tags(): NgValue {
  return {}
}

/** A `tags` entry with its packet counter. */
export function tagOf(localPort: number, packets: number): NgValue {
  const address = '127.0.0.1'
  return {
    medias: [
      {
        protocol: 'RTP/AVP',
        flags: ['send', 'recv'],
        streams: [
          {
            'local port': localPort,
            'local address': address,
            endpoint: { address, port: 4000 },
            stats: { packets, bytes: packets * 160, errors: 0 },
          },
        ],
      },
    ],
  }
}
