/** Run by process.test.ts in a process of its own. */

import { readdirSync } from 'node:fs'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import type { AudioDescription, Candidate } from '../../../src/media/sdp/types.ts'
import { openConnections } from '../../../src/media-relay/dtls/connection.ts'
import { loadDtls, unloadDtls } from '../../../src/media-relay/dtls/library.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { describe, freePorts, ofWire, type Probe, probeWire, rtpPacket, shapeOf } from './lab.ts'

/** Two wires that talk; again from the start where the machine was too slow for the library. */
async function connect(): Promise<[Probe, Probe]> {
  for (;;) {
    const one = await probeWire()
    const other = await probeWire()
    const offer = await one.wire.offer(shapeOf('actpass'))
    const answer = await other.wire.answer(ofWire(offer), shapeOf('active'))
    const accepted = one.wire.accept(ofWire(answer)).then(
      () => Promise.all([one.ready, other.ready]).then(() => true),
      () => false,
    )
    const failed = Promise.race([one.failed, other.failed]).then(() => false)
    if (await Promise.race([accepted, failed])) return [one, other]
    await Promise.all([one.wire.close(), other.wire.close()])
  }
}

async function thread(end: string): Promise<void> {
  await loadDtls(silentLogger())
  if (end === 'unused') {
    unloadDtls()
    return
  }
  const pairs = await Promise.all([connect(), connect(), connect()])
  const probes = pairs.flat()
  let sequence = 0
  const timer = setInterval(() => {
    for (const { wire } of probes) wire.sendRtp(rtpPacket(sequence++), 172)
  }, 1)
  await Promise.all(probes.map((probe) => probe.received(20)))
  if (end === 'exit') process.exit(3)
  if (end === 'throw') throw new Error('meant')
  clearInterval(timer)
  await Promise.all(probes.map(({ wire }) => wire.close()))
  unloadDtls()
}

async function threads(): Promise<object> {
  const start = (end: string): Promise<number> =>
    new Promise((resolve) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: end })
      worker.on('error', () => {})
      worker.on('exit', resolve)
    })
  const ends = await Promise.all([start('clean'), start('clean')])
  for (const end of ['unused', 'clean', 'exit', 'throw', 'unused', 'clean'])
    ends.push(await start(end))
  return { ends }
}

const ALPHABET = 'aZ09+/=_.~-: "\r\n\t\0é%s%n\\'

/** A description whose values are right, nearly right, or anything. */
function hostile(random: FakeRandom): AudioDescription {
  const pick = <T>(...values: T[]): T => values[random.int(0, values.length)]!
  const text = (): string =>
    Array.from({ length: pick(0, 1, 5, 30, 300, 5000) }, () =>
      ALPHABET.charAt(random.int(0, ALPHABET.length)),
    ).join('')
  const octets = (count: number): string => random.hex(count).match(/../g)?.join(':') ?? ''
  const mostly = <T>(right: T, other: () => T): T => (random.int(0, 14) > 0 ? right : other())
  const candidate = (): Candidate => ({
    foundation: mostly('1', text),
    component: mostly(1, () => pick(0, 2, -1, 256, Number.NaN)),
    priority: mostly(random.int(1, 2 ** 31), () => pick(0, -1, 2 ** 32, 1.5, Number.NaN, 1e21)),
    address: mostly('127.0.0.1', () => pick(text(), '::1', '0.0.0.0', 'x.local', '127.0.0.1 9')),
    port: mostly(random.int(1, 65536), () => pick(0, -1, 65536, 1.5, Number.POSITIVE_INFINITY)),
    type: pick<Candidate['type']>('host', 'srflx', 'prflx', 'relay', text() as 'host'),
  })
  const count = pick(0, 1, 2, 5, 60)
  const [algorithm, size] = pick<[string, number]>(['sha-256', 32], ['SHA-1', 20], ['sha-512', 64])
  return describe({
    mid: mostly('audio', text),
    ice: {
      ufrag: mostly('AAECAwQFBgcICQoL', text),
      password: new Secret(mostly('AAECAwQFBgcICQoLDA0ODw==', text)),
      lite: pick(true, false),
      candidates: Array.from({ length: count }, candidate),
    },
    dtls: {
      fingerprints: [
        {
          algorithm: mostly(algorithm, text),
          value: mostly(octets(size), () => pick(text(), octets(31))),
        },
      ],
      setup: mostly(pick('actpass', 'active', 'passive'), () =>
        pick('holdconn', text() as 'active'),
      ),
    },
  })
}

/** Every value goes to the library's door; what is let in must not end the process. */
async function throwAtIt(): Promise<object> {
  await loadDtls(silentLogger())
  const random = new FakeRandom(5)
  const counts = { tried: 0, taken: 0, refused: 0 }
  const ports = await freePorts(400)
  for (const port of ports) {
    const { wire } = await probeWire({ ports: [port] })
    counts.tried++
    try {
      if (random.int(0, 2) === 0) await wire.answer(hostile(random), shapeOf('active'))
      else {
        await wire.offer(shapeOf('actpass'))
        await wire.accept(hostile(random))
      }
      await wire.answer(hostile(random), shapeOf('passive')).catch(() => {})
      wire.delivered()
      wire.facts()
      counts.taken++
    } catch {
      counts.refused++
    }
    await wire.close()
  }
  unloadDtls()
  return counts
}

async function cycles(): Promise<object> {
  await loadDtls(silentLogger())
  const call = async (): Promise<void> => {
    const pair = await connect()
    await Promise.all(pair.map(({ wire }) => wire.close()))
  }
  const count = (what: string): number => readdirSync(`/proc/self/${what}`).length
  const settle = async (): Promise<number> => {
    while (openConnections() > 0) await new Promise(setImmediate)
    global.gc?.()
    await new Promise(setImmediate)
    global.gc?.()
    return process.memoryUsage.rss() / 2 ** 20
  }
  for (let n = 0; n < 60; n++) await call()
  const before = await settle()
  const files = count('fd')
  const tasks = count('task')
  for (let n = 0; n < 150; n++) await call()
  const after = await settle()
  const result = {
    files: count('fd') - files,
    threads: count('task') - tasks,
    megabytes: Math.round(after - before),
    held: openConnections(),
  }
  unloadDtls()
  return result
}

const MODES: Record<string, () => Promise<object>> = { threads, hostile: throwAtIt, cycles }

if (isMainThread) console.log(JSON.stringify(await MODES[process.argv[2]!]!()))
else await thread(workerData as string)
