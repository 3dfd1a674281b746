/** A value of the ng protocol: bencode as BitTorrent has it, text as UTF-8. */
export type NgValue = string | number | NgValue[] | { [key: string]: NgValue }

/** Writes a value; dictionary keys come in order, as bencode wants them. Numbers are integers. */
export function encodeNg(value: NgValue): string {
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`
  if (typeof value === 'number') return `i${Math.trunc(value)}e`
  if (Array.isArray(value)) return `l${value.map(encodeNg).join('')}e`
  const keys = Object.keys(value).sort()
  return `d${keys.map((key) => encodeNg(key) + encodeNg(value[key]!)).join('')}e`
}

/** How deep lists and dictionaries may nest; an answer of rtpengine has about eight levels. */
const DEEPEST = 32

/**
 * Reads a value. Bytes after it are ignored.
 * @throws Error for what is no bencode, ends early or nests too deep
 */
export function decodeNg(data: Buffer): NgValue {
  return new Reader(data).value(0)
}

class Reader {
  readonly #data: Buffer
  #at = 0

  constructor(data: Buffer) {
    this.#data = data
  }

  value(depth: number): NgValue {
    if (depth > DEEPEST) throw new Error('nested too deep')
    switch (this.#data[this.#at]) {
      case 0x64: // d
        return this.#dictionary(depth)
      case 0x6c: // l
        return this.#list(depth)
      case 0x69: // i
        this.#at++
        return this.#integer(0x65)
      default:
        return this.#string()
    }
  }

  #list(depth: number): NgValue[] {
    const list: NgValue[] = []
    this.#at++
    while (!this.#ends()) list.push(this.value(depth + 1))
    return list
  }

  #dictionary(depth: number): { [key: string]: NgValue } {
    // Without a prototype no key of the peer can touch one.
    const dictionary = Object.create(null) as { [key: string]: NgValue }
    this.#at++
    while (!this.#ends()) {
      const key = this.#string()
      dictionary[key] = this.value(depth + 1)
    }
    return dictionary
  }

  #ends(): boolean {
    if (this.#at >= this.#data.length) throw new Error('ends early')
    if (this.#data[this.#at] !== 0x65) return false
    this.#at++
    return true
  }

  #integer(end: number): number {
    const stop = this.#data.indexOf(end, this.#at)
    const text = stop < 0 ? '' : this.#data.toString('latin1', this.#at, stop)
    if (!/^-?\d{1,15}$/.test(text)) throw new Error(`no number at ${this.#at}`)
    this.#at = stop + 1
    return Number(text)
  }

  #string(): string {
    const length = this.#integer(0x3a)
    const end = this.#at + length
    if (length < 0 || end > this.#data.length) throw new Error('ends early')
    const text = this.#data.toString('utf8', this.#at, end)
    this.#at = end
    return text
  }
}
