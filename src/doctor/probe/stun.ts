import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'

const COOKIE = 0x2112a442
const BINDING_SUCCESS = 0x0101
const MAPPED_ADDRESS = 0x0001
const XOR_MAPPED_ADDRESS = 0x0020

/** A Binding request (RFC 8489 §5) with this transaction ID of 12 bytes. */
export function bindingRequest(id: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16BE(1, 0)
  head.writeUInt32BE(COOKIE, 4)
  return Buffer.concat([head, id])
}

/** The IPv4 address a Binding answer says it came from; undefined for anything else. */
export function mappedAddress(
  message: Buffer,
  id: Buffer,
): { address: string; port: number } | undefined {
  if (message.length < 20 || message.readUInt16BE(0) !== BINDING_SUCCESS) return undefined
  if (!message.subarray(8, 20).equals(id)) return undefined
  for (let at = 20; at + 4 <= message.length; ) {
    const type = message.readUInt16BE(at)
    const length = message.readUInt16BE(at + 2)
    const value = message.subarray(at + 4, at + 4 + length)
    if ((type === XOR_MAPPED_ADDRESS || type === MAPPED_ADDRESS) && value.length >= 8) {
      const xor = type === XOR_MAPPED_ADDRESS
      if (value[1] === 1) {
        const port = value.readUInt16BE(2) ^ (xor ? COOKIE >>> 16 : 0)
        const word = (value.readUInt32BE(4) ^ (xor ? COOKIE : 0)) >>> 0
        const bytes = [24, 16, 8, 0].map((shift) => (word >>> shift) & 0xff)
        return { address: bytes.join('.'), port }
      }
    }
    at += 4 + Math.ceil(length / 4) * 4
  }
  return undefined
}

/** When the request is sent again, and when it is given up, milliseconds. */
const REPEAT = [500, 1500]
const GIVE_UP = 4000

/**
 * Asks a STUN server from where it sees a UDP socket bound to `listen`. Resolves with undefined
 * when nothing comes back; rejects with the system's error when the address cannot be bound.
 */
export function reflect(options: {
  host: string
  port: number
  listen: string
  clock: Clock
  random: Random
  signal: AbortSignal
}): Promise<{ address: string; port: number } | undefined> {
  const { host, port, listen, clock, random, signal } = options
  const id = random.bytes(12)
  const request = bindingRequest(id)
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(listen) ? 'udp6' : 'udp4')
    const timers: { clear(): void }[] = []
    const end = (result: { address: string; port: number } | undefined): void => {
      for (const timer of timers) timer.clear()
      signal.removeEventListener('abort', onAbort)
      socket.removeAllListeners('error').on('error', () => {})
      socket.close()
      resolve(result)
    }
    const onAbort = (): void => end(undefined)
    socket.once('error', (error) => {
      reject(error)
      end(undefined)
    })
    socket.on('message', (message) => {
      const mapped = mappedAddress(message, id)
      if (mapped) end(mapped)
    })
    socket.bind(0, listen, () => {
      const send = (): void => socket.send(request, port, host, () => {})
      send()
      timers.push(...REPEAT.map((ms) => clock.setTimeout(send, ms)))
      timers.push(clock.setTimeout(() => end(undefined), GIVE_UP))
      signal.addEventListener('abort', onAbort, { once: true })
    })
  })
}
