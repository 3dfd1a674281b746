import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { DtlsMediaTransport } from '../../../src/simulator/media/dtls.ts'
import { ATTRIBUTE, BINDING, writeStun } from '../../../src/simulator/media/stun.ts'

/** How often a bridge passes a datagram on: 0 loses it. */
export type Pass = (packet: Buffer, from: 'a' | 'b') => number

/** Sends a connectivity check as a full agent would: to `transport`, with the nomination. */
export function check(
  transport: DtlsMediaTransport,
  remoteUfrag: string,
  attributes: readonly (readonly [number, Buffer])[] = NOMINATING,
): Buffer {
  const { ufrag, password } = transport.local
  const username = Buffer.from(`${ufrag}:${remoteUfrag}`)
  return writeStun(
    {
      type: BINDING.request,
      transaction: Buffer.from('0123456789ab'),
      attributes: [[ATTRIBUTE.username, username], ...attributes],
    },
    password,
  )
}

/** PRIORITY, ICE-CONTROLLING and USE-CANDIDATE. */
export const NOMINATING: readonly (readonly [number, Buffer])[] = [
  [ATTRIBUTE.priority, Buffer.from([0x6e, 0, 1, 0xff])],
  [ATTRIBUTE.iceControlling, Buffer.alloc(8, 7)],
  [ATTRIBUTE.useCandidate, Buffer.alloc(0)],
]

export async function udpSocket(t: { teardown(fn: () => void): void }): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return socket
}

/**
 * Joins two lite transports: nominates a socket of its own with each of them, then passes everything
 * but STUN between the two.
 */
export async function join(
  t: { teardown(fn: () => void): void },
  a: DtlsMediaTransport,
  b: DtlsMediaTransport,
  pass: Pass = () => 1,
): Promise<void> {
  const [toA, toB] = [await udpSocket(t), await udpSocket(t)]
  const forward = (from: 'a' | 'b', through: Socket, port: number) => (packet: Buffer) => {
    if (packet[0]! <= 3) return
    const copies = pass(packet, from)
    for (let i = 0; i < copies; i++) through.send(packet, port, '127.0.0.1')
  }
  toA.on('message', forward('a', toB, b.local.port))
  toB.on('message', forward('b', toA, a.local.port))
  toA.send(check(a, b.local.ufrag), a.local.port, '127.0.0.1')
  toB.send(check(b, a.local.ufrag), b.local.port, '127.0.0.1')
}
