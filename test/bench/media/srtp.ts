/**
 * Micro benchmark of SRTP: microseconds a packet, and bytes a context holds.
 * `node test/bench/media/srtp.ts`; packets are RTP with 160 octets of payload.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { RtpHeader, SrtpSession } from 'werift-rtp'
import { SUITES, type Suite } from '../../../src/media/anchor/types.ts'
import {
  createSrtpReceiver,
  createSrtpSender,
  generateKey,
  type SrtpReceiver,
  type SrtpSender,
} from '../../../src/media-relay/srtp/index.ts'
import { systemRandom } from '../../../src/shared/random.ts'

const LENGTH = 172
const BATCH = 2000
const ROUNDS = 25
const CONTEXTS = 2000

function rtp(seq: number): Buffer {
  const packet = Buffer.alloc(LENGTH + 160, seq)
  packet[0] = 0x80
  packet[1] = 0x08
  packet.writeUInt16BE(seq & 0xffff, 2)
  packet.writeUInt32BE(160 * seq, 4)
  packet.writeUInt32BE(0xcafebabe, 8)
  return packet
}

const micros = (start: bigint): number => Number(process.hrtime.bigint() - start) / 1000 / BATCH

/** Fastest of all rounds, as the machine is shared. */
function ours(suite: Suite): { protect: number; unprotect: number } {
  const key = generateKey(suite, systemRandom)
  const sender = createSrtpSender(suite, key)
  const receiver = createSrtpReceiver(suite, key)
  const best = { protect: Infinity, unprotect: Infinity }
  for (let round = 0; round < ROUNDS; round++) {
    const packets = Array.from({ length: BATCH }, (_, i) => rtp(round * BATCH + i))
    let length = 0
    let start = process.hrtime.bigint()
    for (const packet of packets) length = sender.protectRtp(packet, LENGTH)
    best.protect = Math.min(best.protect, micros(start))
    start = process.hrtime.bigint()
    for (const packet of packets)
      if (receiver.unprotectRtp(packet, length) !== LENGTH) throw new Error('not authentic')
    best.unprotect = Math.min(best.unprotect, micros(start))
  }
  return best
}

function werift(profile: 1 | 7, salt: number): { protect: number; unprotect: number } {
  const master = { key: systemRandom.bytes(16), salt: systemRandom.bytes(salt) }
  const session = new SrtpSession({
    keys: {
      localMasterKey: master.key,
      localMasterSalt: master.salt,
      remoteMasterKey: master.key,
      remoteMasterSalt: master.salt,
    },
    profile,
  })
  const best = { protect: Infinity, unprotect: Infinity }
  for (let round = 0; round < 5; round++) {
    const packets = Array.from({ length: BATCH }, (_, i) => rtp(round * BATCH + i))
    const headers = packets.map((packet) => RtpHeader.deSerialize(packet.subarray(0, LENGTH)))
    let start = process.hrtime.bigint()
    const sealed = packets.map((packet, i) =>
      session.encrypt(packet.subarray(12, LENGTH), headers[i]!),
    )
    best.protect = Math.min(best.protect, micros(start))
    start = process.hrtime.bigint()
    for (const packet of sealed) session.decrypt(packet)
    best.unprotect = Math.min(best.unprotect, micros(start))
  }
  return best
}

/** Resident bytes of a sender or receiver in use; for a process of its own, with `--expose-gc`. */
function memory(suite: Suite): number {
  const pairs: [SrtpSender, SrtpReceiver][] = []
  const add = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const key = generateKey(suite, systemRandom)
      const sender = createSrtpSender(suite, key)
      const receiver = createSrtpReceiver(suite, key)
      for (let seq = 0; seq < 3; seq++) {
        const packet = rtp(seq)
        receiver.unprotectRtp(packet, sender.protectRtp(packet, LENGTH))
      }
      pairs.push([sender, receiver])
    }
    globalThis.gc?.()
  }
  add(500)
  const before = process.memoryUsage().rss
  add(CONTEXTS)
  return (process.memoryUsage().rss - before) / CONTEXTS / 2
}

function memoryOfChild(suite: Suite): string {
  const args = ['--expose-gc', fileURLToPath(import.meta.url), suite]
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim()
}

const row = (
  name: string,
  { protect, unprotect }: { protect: number; unprotect: number },
): string =>
  `${name.padEnd(32)} protect ${protect.toFixed(2).padStart(6)} µs  unprotect ${unprotect.toFixed(2).padStart(6)} µs`

const only = SUITES.find((suite) => suite === process.argv[2])
if (only) console.log(memory(only).toFixed(0))
else {
  for (const suite of SUITES)
    console.log(`${row(suite, ours(suite))}  ${memoryOfChild(suite).padStart(6)} bytes a context`)
  console.log(row('werift-rtp CM_128_80', werift(1, 14)))
  console.log(row('werift-rtp GCM_128', werift(7, 12)))
}
