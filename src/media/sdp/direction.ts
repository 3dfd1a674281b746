import type { AudioDescription, Direction } from './types.ts'

/** What the answerer says to each direction of the offerer (RFC 3264 §6.1). */
const MIRROR: Record<Direction, Direction> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
}

/** The same direction as the other end sees it. */
export function mirrored(direction: Direction): Direction {
  return MIRROR[direction]
}

/**
 * Whether a description names no address to send to. With ICE the candidates count, and a browser
 * whose candidates are not known yet writes `0.0.0.0` too (RFC 8840 §4.1.1).
 */
export function nowhere(audio: AudioDescription): boolean {
  return audio.ice === undefined && (audio.address === '0.0.0.0' || audio.address === '::')
}

/**
 * The direction a description means: `0.0.0.0` is the old way to say hold (RFC 3264 §8.4, RFC 2543
 * B.5) and asks not to be sent to.
 */
export function intendedDirection(audio: AudioDescription): Direction {
  if (!nowhere(audio)) return audio.direction
  return audio.direction === 'sendrecv' || audio.direction === 'sendonly' ? 'sendonly' : 'inactive'
}
