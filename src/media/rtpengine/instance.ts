import type { Clock, Timer } from '../../shared/clock.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { NgClient, type NgDictionary, NgRefused, NgTimeout } from './client.ts'
import { type Digit, DigitListener } from './digits.ts'

/** How often an instance is asked whether it lives, milliseconds; jittered by a tenth. */
const PING = 2000

/** The same while it is down. */
const PING_DOWN = 1000

/** Pings in a row that go unanswered until an instance counts as down. */
const MISSES = 2

/** One rtpengine: its control channel, whether it answers, and how many calls it carries. */
export class RtpengineInstance {
  /** `udp://127.0.0.1:22222`, as configured. */
  readonly name: string
  /** Calls of ours on it. */
  calls = 0
  /** Why it is down; undefined while it answers. */
  problem: string | undefined = 'not asked yet'
  /** Whether its machine says that nobody listens: it has ended, and its calls with it. */
  refuses = false
  readonly #client: NgClient
  readonly #digits: DigitListener
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Logger
  #misses = 0
  #timer: Timer | undefined
  #closed = false

  /** @param pressed hears of keypresses in its calls */
  constructor(
    name: string,
    parts: { clock: Clock; random: Random; log: Logger },
    pressed: (digit: Digit) => void,
  ) {
    const url = new URL(name)
    this.name = name
    this.#clock = parts.clock
    this.#random = parts.random
    this.#log = parts.log
    this.#digits = new DigitListener(pressed)
    this.#client = new NgClient(url.hostname.replace(/^\[|\]$/g, ''), Number(url.port), parts)
  }

  get available(): boolean {
    return this.problem === undefined
  }

  /** Where it shall send the keypresses of a call; undefined when it cannot. */
  async digitsTo(): Promise<string | undefined> {
    const local = this.#client.localAddress
    return local === undefined ? undefined : this.#digits.destination(local)
  }

  /** Asks for the first time; resolves when it is known whether the instance answers. */
  async start(): Promise<void> {
    await this.#ping()
    this.#schedule()
  }

  /**
   * Sends a command. An instance that does not answer is down at once: a call must not wait for the
   * next ping to go elsewhere.
   *
   * @throws NgError, NgTimeout
   */
  async request(command: string, parameters: NgDictionary): Promise<NgDictionary> {
    try {
      return await this.#client.request(command, parameters)
    } catch (error) {
      if (error instanceof NgTimeout && !this.#closed) this.#down(error)
      throw error
    }
  }

  close(): void {
    this.#closed = true
    this.#timer?.clear()
    this.#client.close()
    this.#digits.close()
  }

  #schedule(): void {
    if (this.#closed) return
    const often = this.available ? PING : PING_DOWN
    const wait = often + this.#random.int(0, often / 10)
    this.#timer = this.#clock.setTimeout(() => {
      void this.#ping().then(() => this.#schedule())
    }, wait)
  }

  async #ping(): Promise<void> {
    try {
      await this.#client.request('ping')
      this.#misses = 0
      if (this.problem !== undefined && this.problem !== 'not asked yet') {
        this.#log.info({ rtpengine: this.name }, 'rtpengine answers again')
      }
      this.problem = undefined
      this.refuses = false
    } catch (error) {
      if (this.#closed) return
      this.#misses++
      const sure = error instanceof NgRefused || this.problem === 'not asked yet'
      if (sure || this.#misses >= MISSES) this.#down(error)
    }
  }

  #down(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error)
    this.refuses = error instanceof NgRefused
    if (this.problem !== problem) {
      this.#log.warn({ rtpengine: this.name, problem }, 'rtpengine does not answer')
    }
    this.problem = problem
  }
}
