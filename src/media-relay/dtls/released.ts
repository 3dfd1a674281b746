import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { delay, systemClock } from '../../shared/clock.ts'

/** Looks in a row before pauses begin; each takes a turn of the event loop. */
const AT_ONCE = 20
/** Milliseconds between further looks, and their number: two seconds in all. */
const PAUSE = 20
const PAUSES = 100

/**
 * Resolves when the library's thread has closed its socket on a port, which nothing else tells:
 * true when the port is free, false when it still was not after two seconds. Real time, whatever
 * the clock of the call: the thread does not wait for another.
 */
export async function isReleased(address: string, port: number): Promise<boolean> {
  for (let look = 0; look < AT_ONCE + PAUSES; look++) {
    if (await canBind(address, port)) return true
    if (look >= AT_ONCE) await delay(systemClock, PAUSE)
  }
  return false
}

function canBind(address: string, port: number): Promise<boolean> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  return new Promise((resolve) => {
    socket.once('error', () => {
      socket.close()
      resolve(false)
    })
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(true)))
  })
}
