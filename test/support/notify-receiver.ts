import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import koffi from 'koffi'

const AF_UNIX = 1
const SOCK_DGRAM = 2

type SystemCall = ReturnType<ReturnType<typeof koffi.load>['func']>

/** A service manager's end of `NOTIFY_SOCKET`: a real UNIX datagram socket. */
export class NotifyReceiver {
  /** The value of `NOTIFY_SOCKET`. */
  readonly address: string
  readonly #fd: number
  readonly #folder: string | undefined
  readonly #recv: SystemCall
  readonly #close: SystemCall

  /** `abstract`: a name of the kernel's instead of a file. */
  constructor(abstract = false) {
    const libc = koffi.load(null)
    this.#folder = abstract ? undefined : mkdtempSync(join(tmpdir(), 'causeway-notify-'))
    this.address = this.#folder
      ? join(this.#folder, 'socket')
      : `@causeway-test-${process.pid}-${Math.random().toString(36).slice(2)}`
    this.#recv = libc.func('recv', 'long', ['int', 'void *', 'size_t', 'int'])
    this.#close = libc.func('close', 'int', ['int'])
    const socket = libc.func('socket', 'int', ['int', 'int', 'int'])
    const bind = libc.func('bind', 'int', ['int', 'void *', 'uint32'])
    const name = abstract ? `\0${this.address.slice(1)}` : `${this.address}\0`
    const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), Buffer.from(name)])
    this.#fd = socket(AF_UNIX, SOCK_DGRAM, 0) as number
    if (bind(this.#fd, address, address.length) !== 0) throw new Error(`bind: ${koffi.errno()}`)
  }

  /** The next datagram as its lines; waits for it. */
  next(): Promise<string[]> {
    const buffer = Buffer.alloc(4096)
    return new Promise((resolve, reject) => {
      this.#recv.async(this.#fd, buffer, buffer.length, 0, (error: unknown, length: number) => {
        if (error || length < 0) reject(error ?? new Error('recv'))
        else resolve(buffer.toString('utf8', 0, length).split('\n'))
      })
    })
  }

  /** Reads until a datagram has the line; everything that came, in order. */
  async until(wanted: string | RegExp): Promise<string[]> {
    const all: string[] = []
    for (;;) {
      const lines = await this.next()
      all.push(...lines)
      const found = lines.some((line) =>
        typeof wanted === 'string' ? line === wanted : wanted.test(line),
      )
      if (found) return all
    }
  }

  close(): void {
    this.#close(this.#fd)
    if (this.#folder) rmSync(this.#folder, { recursive: true })
  }
}
