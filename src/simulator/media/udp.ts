import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'

/** Binds a UDP socket. Rejects when the address or port cannot be had. */
export function bindUdp(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(
      isIPv6(address) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' },
    )
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind(port, address, () => {
      socket.removeAllListeners('error')
      // ICMP errors of a peer that has gone: the call's end is told by SIP.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

/** Tries `ports` in turn, then any free one. */
export async function bindFirst(address: string, ports: readonly number[] = []): Promise<Socket> {
  for (const port of ports) {
    const socket = await bindUdp(address, port).catch(() => undefined)
    if (socket) return socket
  }
  return bindUdp(address, 0)
}

/**
 * Binds the same port on two addresses, as WhatsApp's relay has it on IPv4 and IPv6. The second
 * socket is missing where the machine has no such address.
 */
export async function bindPair(
  first: string,
  second: string | undefined,
  ports: readonly number[] = [],
): Promise<[Socket, Socket | undefined]> {
  for (let attempt = 0; ; attempt++) {
    const socket = await bindFirst(first, attempt === 0 ? ports : [])
    if (second === undefined) return [socket, undefined]
    try {
      return [socket, await bindUdp(second, socket.address().port)]
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!taken || attempt === 8) return [socket, undefined]
      socket.close()
    }
  }
}
