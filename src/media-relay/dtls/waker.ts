import { createSocket, type Socket } from 'node:dgram'

/** A first octet that is neither STUN, DTLS of any known type nor RTP: dropped unread by everyone. */
const NOTHING = Buffer.from([63])

/** Sends a meaningless datagram to a socket of this machine. */
export interface Waker {
  /** Where its datagrams come from. */
  readonly address: string
  readonly port: number
  /** One octet to a port here; errors are swallowed. */
  wake(address: string, port: number): void
  close(): void
}

/**
 * Opens a waker on loopback. The library's DTLS server looks at its queue when a datagram arrives,
 * and it can miss the ClientHello that was there before it began: with the next datagram it finds
 * both. Without one that would be the peer's repetition a second later.
 */
export async function openWaker(family: 4 | 6): Promise<Waker> {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  const address = family === 6 ? '::1' : '127.0.0.1'
  await bind(socket, address)
  socket.unref()
  // Checks arrive here, as from every candidate; nobody reads them.
  return {
    address,
    port: socket.address().port,
    wake: (to, port) => socket.send(NOTHING, port, to === '0.0.0.0' || to === '::' ? address : to),
    close: () => socket.close(),
  }
}

function bind(socket: Socket, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(0, address, () => {
      socket.removeListener('error', reject)
      socket.on('error', () => {})
      resolve()
    })
  })
}
