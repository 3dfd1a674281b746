/**
 * HMAC-SHA1 (RFC 2104) for short messages under one key. Measured with Node 24 on a packet of 172
 * octets: createHmac with a cached KeyObject 1.5 µs, this 0.6 µs, because both pads are hashed in
 * advance and nothing crosses into C++ or is allocated. It has no tables and no branches on data.
 */
export class HmacSha1 {
  readonly #inner: Int32Array
  readonly #outer: Int32Array

  /** `key`: at most 64 octets. */
  constructor(key: Uint8Array) {
    this.#inner = hashPad(key, 0x36)
    this.#outer = hashPad(key, 0x5c)
  }

  /**
   * Hashes the first `length` octets of `data`, and the 32-bit `word` behind them when there is one.
   * The result waits for {@link writeTag} or {@link tagMatches} until the next call, of any instance.
   */
  compute(data: Uint8Array, length: number, word: number | undefined): void {
    state.set(this.#inner)
    let at = 0
    for (; at + 64 <= length; at += 64) compress(data, at)
    let n = 0
    while (at < length) tail[n++] = data[at++]!
    if (word !== undefined) {
      putWord(n, word)
      n += 4
      length += 4
    }
    finish(n, length)

    for (let i = 0; i < 5; i++) putWord(4 * i, state[i]!)
    state.set(this.#outer)
    finish(20, 20)
  }
}

/** Writes the leftmost `octets` of the last result into `data`. */
export function writeTag(data: Uint8Array, at: number, octets: number): void {
  for (let i = 0; i < octets; i++) data[at + i] = state[i >> 2]! >>> (24 - 8 * (i & 3))
}

/** Whether `data` has the leftmost `octets` of the last result at `at`; in constant time. */
export function tagMatches(data: Uint8Array, at: number, octets: number): boolean {
  let difference = 0
  for (let i = 0; i < octets; i++)
    difference |= data[at + i]! ^ ((state[i >> 2]! >>> (24 - 8 * (i & 3))) & 0xff)
  return difference === 0
}

// Scratch of all instances: a computation never yields.
const state = new Int32Array(5)
const schedule = new Int32Array(80)
const tail = new Uint8Array(128)

const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]

function hashPad(key: Uint8Array, octet: number): Int32Array {
  const pad = new Uint8Array(64).fill(octet)
  for (let i = 0; i < key.length; i++) pad[i]! ^= key[i]!
  state.set(INITIAL)
  compress(pad, 0)
  return Int32Array.from(state)
}

function putWord(at: number, word: number): void {
  tail[at] = word >>> 24
  tail[at + 1] = word >>> 16
  tail[at + 2] = word >>> 8
  tail[at + 3] = word
}

/** The last one or two blocks: `n` octets in `tail`, `length` in the message behind the pad. */
function finish(n: number, length: number): void {
  tail[n++] = 0x80
  const end = n <= 56 ? 64 : 128
  tail.fill(0, n, end - 4)
  putWord(end - 4, (64 + length) * 8)
  compress(tail, 0)
  if (end === 128) compress(tail, 64)
}

/** One block of 64 octets (FIPS 180-4 §6.1.2). */
function compress(data: Uint8Array, at: number): void {
  const w = schedule
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  let e = state[4]!
  let t = 0
  for (; t < 16; t++, at += 4) {
    const x = (data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!
    w[t] = x
    const next = (((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + e + x + 0x5a827999) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (; t < 20; t++) {
    const x = expand(w, t)
    const next = (((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + e + x + 0x5a827999) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (; t < 40; t++) {
    const x = expand(w, t)
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + x + 0x6ed9eba1) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (; t < 60; t++) {
    const x = expand(w, t)
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + e + x - 0x70e44324) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (; t < 80; t++) {
    const x = expand(w, t)
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + x - 0x359d3e2a) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  state[0] = state[0]! + a
  state[1] = state[1]! + b
  state[2] = state[2]! + c
  state[3] = state[3]! + d
  state[4] = state[4]! + e
}

function expand(w: Int32Array, t: number): number {
  const x = w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!
  const rotated = (x << 1) | (x >>> 31)
  w[t] = rotated
  return rotated
}
