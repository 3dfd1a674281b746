import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port that neither UDP nor TCP uses on 127.0.0.1 now; each call gives another. It is below the ports
 * the system hands out, and below those of {@link rtpRange}: what is free now stays so until it is bound.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 2000 + Math.floor(Math.random() * 8000)
    const server = createServer().listen(port, '127.0.0.1')
    const bound = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).once('listening', () => resolve(true))
    })
    if (!bound) continue
    const socket = createSocket('udp4')
    const free = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false))
      socket.bind(port, '127.0.0.1', () => resolve(true))
    })
    if (free) socket.close()
    server.close()
    await once(server, 'close')
    if (free && !given.has(port)) {
      given.add(port)
      return port
    }
  }
}

/** Ports of the range that `fetch` refuses to ask (Fetch Standard, "port blocking"). */
const BLOCKED = [
  2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
]

/** Those, and what was given out. */
const given = new Set<number>(BLOCKED)

/** A range of RTP ports below those the system hands out, chosen at random so that runs seldom meet. */
export function rtpRange(width: number): { first: number; last: number } {
  const lowest = 10_000
  const highest = 32_000
  const room = Math.max(0, highest - lowest - width)
  const first = lowest + 2 * Math.floor((Math.random() * room) / 2)
  return { first, last: first + width - 1 }
}
