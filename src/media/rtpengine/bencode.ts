/** A value of the ng protocol: bencode as BitTorrent has it, text as UTF-8, bytes as they are. */
export type NgValue = string | number | Uint8Array | NgValue[] | { [key: string]: NgValue }

/** A dictionary of the ng protocol. */
export type NgDictionary = { [key: string]: NgValue }

/** Whether a value is a dictionary. */
export function isDictionary(value: NgValue | undefined): value is NgDictionary {
  if (typeof value !== 'object' || Array.isArray(value)) return false
  return !(value instanceof Uint8Array)
}

/** Writes a value; dictionary keys come in order, as bencode wants them. Numbers are integers. */
export function encodeNg(value: NgValue): Buffer {
  const parts: Uint8Array[] = []
  write(value, parts)
  return Buffer.concat(parts)
}

function write(value: NgValue, parts: Uint8Array[]): void {
  if (typeof value === 'number') parts.push(Buffer.from(`i${Math.trunc(value)}e`))
  else if (typeof value === 'string') {
    parts.push(Buffer.from(`${Buffer.byteLength(value)}:${value}`))
  } else if (value instanceof Uint8Array) parts.push(Buffer.from(`${value.length}:`), value)
  else if (Array.isArray(value)) {
    parts.push(LIST)
    for (const one of value) write(one, parts)
    parts.push(END)
  } else {
    parts.push(DICTIONARY)
    for (const key of Object.keys(value).sort()) {
      write(key, parts)
      write(value[key]!, parts)
    }
    parts.push(END)
  }
}

const LIST = Buffer.from('l')
const DICTIONARY = Buffer.from('d')
const END = Buffer.from('e')

/** How deep lists and dictionaries may nest; an answer of rtpengine has about eight levels. */
const DEEPEST = 32

/**
 * Reads a value; strings are taken for text. Bytes after it are ignored.
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
