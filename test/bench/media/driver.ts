import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { CallEnds } from './call-set.ts'
import type { Payloads } from './payloads.ts'

/** Milliseconds. */
export interface Delay {
  p50: number
  p99: number
  max: number
}

/** What the driver saw of one run. */
export interface LoadResult {
  calls: number
  seconds: number
  /** Packets into the relay. */
  sent: number
  /** From the PBX to WhatsApp, and back. */
  lost: [number, number]
  duplicates: number
  /** Packets that failed authentication. */
  bad: number
  /** Packets of nobody we know. */
  strangers: number
  /** Packets of silence of the relay's own. */
  fillers: number
  /** RTCP packets. */
  reports: number
  refused: number
  /** Seconds of processor time. */
  relayCpu: number
  driverCpu: number
  /** How late the driver was to send. */
  behindMs: { p99: number; max: number }
  delayMs: [Delay, Delay]
}

/** Local ports the calls of a side share: few, so that little time goes to the driver. */
const SHARED = 8

/** Compiles the driver; gives its path. Throws when the compiler or OpenSSL's headers are missing. */
export function compileDriver(): { path: string; remove(): void } {
  const source = join(import.meta.dirname, 'rtpload')
  const folder = mkdtempSync(join(tmpdir(), 'rtpload-'))
  const path = join(folder, 'rtpload')
  const files = readdirSync(source).filter((name) => name.endsWith('.c'))
  execFileSync('cc', ['-O2', '-Wall', '-o', path, ...files, '-lssl', '-lcrypto', '-lpthread'], {
    cwd: source,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export interface DriverOptions {
  /** The processor it is bound to; undefined: any. */
  core: number | undefined
  /** Whether it looks for arrivals now and then instead of being woken by them. */
  polls: boolean
}

/** The load driver: both far ends of every call. */
export class Driver {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>
  readonly #folder: string
  readonly #ports: number[]
  readonly #dtls: CallEnds['dtls']
  #ends = 0

  private constructor(
    child: ChildProcessWithoutNullStreams,
    lines: AsyncIterator<string>,
    folder: string,
    hello: { ports: number[] } & CallEnds['dtls'],
  ) {
    this.#child = child
    this.#lines = lines
    this.#folder = folder
    this.#ports = hello.ports
    const { fingerprint, ufrag, password } = hello
    this.#dtls = { fingerprint, ufrag, password }
  }

  /**
   * @param dtls calls that have DTLS on WhatsApp's side
   */
  static async start(
    path: string,
    payloads: Payloads,
    dtls: number,
    options: DriverOptions,
  ): Promise<Driver> {
    const folder = mkdtempSync(join(tmpdir(), 'rtpload-run-'))
    const frames = join(folder, 'frames')
    const rows = (name: string, list: readonly Uint8Array[]): string[] =>
      list.map((payload) => `${name} ${Buffer.from(payload).toString('hex')}\n`)
    writeFileSync(frames, [...rows('a', payloads.pbx), ...rows('b', payloads.whatsapp)].join(''))
    const how = payloads.marked ? 'marked' : 'counted'
    const { core, polls } = options
    const line = [path, String(SHARED), String(dtls), frames, how, polls ? 'poll' : 'wait']
    const [command, ...args] = core === undefined ? line : ['taskset', '-c', String(core), ...line]
    const child = spawn(command!, args)
    child.stderr.pipe(process.stderr)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const { value, done } = await lines.next()
    if (done) throw new Error('rtpload did not start')
    return new Driver(child, lines, folder, JSON.parse(value))
  }

  /** Ends of further calls; with `dtls` each has a port of its own on WhatsApp's side. */
  ends(count: number, dtls: boolean): CallEnds[] {
    return Array.from({ length: count }, () => {
      const n = this.#ends++
      const whatsapp = dtls ? 2 * SHARED + n : SHARED + (n % SHARED)
      return {
        pbxPort: this.#ports[n % SHARED]!,
        whatsappPort: this.#ports[whatsapp]!,
        dtls: this.#dtls,
      }
    })
  }

  /** Makes calls known. */
  async add(lines: readonly string[]): Promise<void> {
    for (const line of lines) await this.#ask(line)
  }

  /** Waits for all DTLS handshakes; monotonic nanoseconds at which each was through, 0: not. */
  async keys(seconds: number): Promise<{ ready: number; all: number; at: number[] }> {
    return (await this.#ask(`keys ${seconds}`)) as { ready: number; all: number; at: number[] }
  }

  /** All calls speak both ways; the first `lead` seconds are not measured. */
  async run(lead: number, seconds: number, pid: number): Promise<LoadResult> {
    const rounds = (length: number): number => Math.round(length * 50)
    return (await this.#ask(`run ${rounds(lead)} ${rounds(seconds)} ${pid}`)) as LoadResult
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.stdin.end()
    await ended
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #ask(command: string): Promise<unknown> {
    this.#child.stdin.write(`${command}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('rtpload has ended')
    return JSON.parse(value)
  }
}
