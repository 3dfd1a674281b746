import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import type {
  Flow,
  SipMessage,
  SipParseError,
} from '../../../src/embedded-drachtio/message/index.ts'
import {
  createTransportLayer,
  type FlowEnd,
  type Target,
  type TransportLayer,
  type TransportLayerOptions,
  type TransportName,
} from '../../../src/embedded-drachtio/transport/index.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { FakeRandom } from '../../support/fake-random.ts'

/** What a layer told the layer above, with a way to wait for it. */
export class Recorder {
  readonly messages: { message: SipMessage; flow: Flow }[] = []
  readonly errors: { error: SipParseError; flow: Flow }[] = []
  readonly closings: Flow[] = []
  /** Why each of them closed. */
  readonly ends: FlowEnd[] = []
  /** Called for every message, after it was recorded. */
  onMessage: ((message: SipMessage, flow: Flow) => void) | undefined
  #waiting: (() => void)[] = []

  readonly events = {
    message: (message: SipMessage, flow: Flow): void => {
      this.messages.push({ message, flow })
      this.#wake()
      this.onMessage?.(message, flow)
    },
    malformed: (error: SipParseError, flow: Flow): void => {
      this.errors.push({ error, flow })
      this.#wake()
    },
    closed: (flow: Flow, why: FlowEnd): void => {
      this.closings.push(flow)
      this.ends.push(why)
      this.#wake()
    },
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  /** Resolves once `condition` holds; looked at after every event. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** The `count`-th message, waited for. */
  async message(count = 1): Promise<{ message: SipMessage; flow: Flow }> {
    await this.until(() => this.messages.length >= count)
    return this.messages[count - 1]!
  }
}

/** The part of a test that helpers need to clean up. */
export interface Teardown {
  teardown(fn: () => unknown): void
}

/** An open layer, closed at the end of the test. */
export async function openLayer(
  t: Teardown,
  options: Partial<TransportLayerOptions> & Pick<TransportLayerOptions, 'listeners'>,
): Promise<{ layer: TransportLayer; heard: Recorder }> {
  const heard = new Recorder()
  const layer = createTransportLayer({
    events: heard.events,
    clock: systemClock,
    random: new FakeRandom(),
    log: silentLogger(),
    ...options,
  })
  t.teardown(() => layer.close())
  await layer.listen()
  return { layer, heard }
}

/** The target that reaches a layer's listener. */
export function targetOf(
  layer: TransportLayer,
  transport: TransportName,
  domain?: string,
  family: 4 | 6 = 4,
): Target {
  const info = layer.listeners().find((l) => l.transport === transport && l.family === family)
  if (!info) throw new Error(`no ${transport} listener`)
  return { transport, address: info.host, port: info.port, domain: domain ?? info.host }
}

/** A whole OPTIONS request; `via` is the value of its Via after the transport. */
export function request(transport: string, via: string, body = ''): Buffer {
  const lines = [
    'OPTIONS sip:bob@example.com SIP/2.0',
    `Via: SIP/2.0/${transport.toUpperCase()} ${via}`,
    'Max-Forwards: 70',
    'From: <sip:alice@example.com>;tag=1',
    'To: <sip:bob@example.com>',
    'Call-ID: 1@example.com',
    'CSeq: 1 OPTIONS',
    `Content-Length: ${body.length}`,
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** A 200 to {@link request}. */
export function response(transport: string, via: string): Buffer {
  const text = request(transport, via).toString()
  return Buffer.from(text.replace(/^.*\r\n/, 'SIP/2.0 200 OK\r\n'))
}

/** The value of the top Via line of a message. */
export function viaLine(message: SipMessage): string {
  return message.headers.find((line) => line.key === 'via')?.value ?? ''
}

/** Sends a request and resolves with its flow, or rejects with the error of `done`. */
export function send(
  layer: TransportLayer,
  target: Target,
  bytes: Buffer,
  prefer?: Flow,
): Promise<Flow> {
  return new Promise((resolve, reject) => {
    layer.sendRequest(target, bytes, prefer, (error, flow) => {
      if (error) reject(error)
      else if (flow) resolve(flow)
      else reject(new Error('neither error nor flow'))
    })
  })
}

/** A plain TCP server on loopback that hands out its connections. */
export async function tcpServer(
  t: Teardown,
  accept: (socket: net.Socket) => void,
): Promise<Target> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    accept(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { transport: 'tcp', address: '127.0.0.1', port, domain: '127.0.0.1' }
}

/** A plain TCP connection to a target. */
export async function tcpClient(t: Teardown, target: Target): Promise<net.Socket> {
  const socket = net.connect({ host: target.address, port: target.port })
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** The text a socket has sent us once `pattern` matches it; rejects when it ends before. */
export function read(socket: net.Socket, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const ended = (): void => reject(new Error(`ended after ${JSON.stringify(text)}`))
    socket.on('data', function take(chunk: Buffer) {
      text += chunk.toString()
      if (!pattern.test(text)) return
      socket.off('data', take)
      socket.off('close', ended)
      resolve(text)
    })
    socket.once('close', ended)
  })
}
