import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import type { Codec } from '../../../src/media/sdp/types.ts'
import {
  createTranscoder,
  loadCodecs,
  type Transcoder,
  TranscodingBudget,
} from '../../../src/media-relay/codec/index.ts'
import { Reserve } from '../../../src/media-relay/codec/reserve.ts'

const opus: Codec = { payloadType: 111, name: 'OPUS', clockRate: 48000, channels: 2, fmtp: '' }
const pcma: Codec = { ...opus, payloadType: 8, name: 'pcma', clockRate: 8000, channels: undefined }
const pcmu: Codec = { ...pcma, payloadType: 0, name: 'PCMU' }

/** Collects garbage, so that what is left is held; finalizers run between the collections. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  for (let round = 0; round < 4; round++) {
    gc()
    await new Promise(setImmediate)
  }
}

t.test('codecs have to be loaded first', async (t) => {
  t.throws(() => createTranscoder(opus, pcma), /loadCodecs/)
  t.doesNotThrow(() => createTranscoder(pcma, pcmu).close())
  await loadCodecs()
  await loadCodecs()
})

t.test('random payloads never throw, and whole frames come out', async (t) => {
  let seed = 7
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const packet = new Uint8Array(2000)
  for (const [from, to] of [
    [opus, pcma],
    [pcmu, opus],
    [pcma, pcmu],
  ] as const) {
    const transcoder = createTranscoder(from, to)
    let frames = 0
    let wrong = 0
    for (let i = 0; i < 3000; i++) {
      const start = random(20)
      const octets = random(10) === 0 ? random(1900) : random(60)
      for (let at = start; at < start + octets; at++) packet[at] = random(256)
      transcoder.push(packet, start, start + octets, (_payload, length) => {
        frames++
        if (to === opus ? length < 1 || length > 400 : length !== 160) wrong++
      })
      if (random(20) === 0) {
        transcoder.conceal(random(4), () => {}, packet, start, start + random(40))
      }
    }
    t.ok(frames > 500, `${from.name} to ${to.name}: ${frames} frames`)
    t.equal(wrong, 0)
    transcoder.close()
  }
})

t.test('ten thousand calls leave no memory behind', async (t) => {
  const packet = Uint8Array.of(0xf8, 0xff, 0xfe)
  const calls = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 20) {
      const open = Array.from({ length: 20 }, (_, k) =>
        k % 2 ? createTranscoder(opus, pcma) : createTranscoder(pcma, opus),
      )
      await new Promise(setImmediate)
      for (const transcoder of open) {
        transcoder.push(packet, 0, 3, () => {})
        transcoder.close()
        transcoder.close()
      }
    }
  }
  // libopus's heap reaches its size in the first thousands.
  await calls(10_000)
  await collect()
  const before = process.memoryUsage.rss()
  const { external } = process.memoryUsage()
  await calls(10_000)
  await collect()
  const grown = process.memoryUsage().external - external
  t.ok(grown < 2 ** 20, `WebAssembly memory grew by ${grown} octets`)
  const resident = (process.memoryUsage.rss() - before) / 2 ** 20
  t.ok(resident < 60, `resident memory grew by ${resident.toFixed(1)} MiB`)
})

t.test('a closed transcoder does nothing', async (t) => {
  const count = (use: (transcoder: Transcoder, frame: () => void) => void): number => {
    let frames = 0
    use(createTranscoder(pcma, pcmu), () => frames++)
    return frames
  }
  const packet = new Uint8Array(800)
  const closed = count((transcoder, frame) => {
    transcoder.close()
    transcoder.push(packet, 0, 320, frame)
    transcoder.conceal(3, frame)
  })
  t.equal(closed, 0)
  let frames = 0
  const transcoder = createTranscoder(pcma, opus)
  transcoder.push(packet, 0, 800, () => {
    frames++
    transcoder.close()
  })
  t.equal(frames, 1, 'closed by its own frame')
})

t.test('more calls at once than codecs are ready', async (t) => {
  const open = Array.from({ length: 40 }, () => createTranscoder(pcma, opus))
  open.at(-1)!.close()
  await new Promise(setImmediate)
  const silence = new Uint8Array(160).fill(0xd5)
  for (const transcoder of open.slice(0, -1)) {
    transcoder.push(silence, 0, 160, (payload) => {
      t.not(payload[0], 0xf8, 'from an encoder, not the stand-in')
    })
    transcoder.close()
  }
})

t.test('a reserve outlives an instance that cannot be made', async (t) => {
  let made = 0
  let broken = false
  const reserve = new Reserve(async () => {
    if (broken) throw new Error('no memory')
    return { number: ++made, free() {} }
  }, 2)
  await reserve.fill()
  t.equal(made, 2)
  broken = true
  const unexpected = () => t.fail('nothing was made')
  t.ok(reserve.take(unexpected))
  t.ok(reserve.take(unexpected))
  t.equal(reserve.take(unexpected), undefined)
  await new Promise(setImmediate)
  broken = false
  const late = await new Promise<{ number: number }>((resolve) => {
    t.equal(reserve.take(resolve), undefined)
  })
  t.equal(late.number, 3)
})

t.test('the budget', async (t) => {
  const budget = new TranscodingBudget(2)
  t.same([budget.take(), budget.take(), budget.take()], [true, true, false])
  t.equal(budget.active, 2)
  budget.limit = 1
  budget.give()
  t.equal(budget.take(), false, 'a lower limit holds for new calls')
  budget.give()
  t.equal(budget.take(), true)
  budget.give()
  budget.give()
  t.equal(budget.active, 0, 'never below none')
})
