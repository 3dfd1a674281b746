import type { Clock, Timer } from '../../shared/clock.ts'
import type { Logger } from '../../shared/log.ts'
import { type NotifySocket, openNotifySocket } from './socket.ts'

/** What a service manager is told about. */
export interface ServiceParts {
  env: Record<string, string | undefined>
  pid: number
  /** One line on how it goes, for `systemctl status`. */
  status: () => string
  /** Why calls cannot be taken; empty when they can. */
  reasons: () => readonly string[]
  /** The part that only a restart brings back; undefined while all work. */
  stuck: () => Promise<string | undefined>
  clock: Clock
  log: Logger
  /** Opens the socket; replaced by tests. */
  open?: (address: string) => Promise<NotifySocket>
}

/** Milliseconds between two status lines, where no watchdog asks for more. */
const STATUS_INTERVAL = 10_000
/** Milliseconds between two looks whether calls can be taken, at the start. */
const READY_INTERVAL = 250

/**
 * Tells systemd (sd_notify(3)) when calls can be taken, of reloads and the stop, and feeds its watchdog
 * while everything works. Without `NOTIFY_SOCKET` nothing is told.
 */
export class ServiceManager {
  readonly #parts: ServiceParts
  readonly #interval: number
  readonly #watchdog: boolean
  #socket: NotifySocket | undefined
  #timer: Timer | undefined
  #queue: Promise<void> = Promise.resolve()
  #ready = false
  #stuck: string | undefined
  #warned = false
  #closed = false
  /** Shown instead of the status until the next look. */
  #said: string | undefined

  constructor(parts: ServiceParts) {
    this.#parts = parts
    const patience = watchdogMs(parts.env, parts.pid)
    this.#watchdog = patience !== undefined
    this.#interval = Math.min(STATUS_INTERVAL, (patience ?? Number.POSITIVE_INFINITY) / 2)
  }

  /** Begins: `READY=1` comes when calls can be taken. */
  async start(): Promise<void> {
    const { env, open = openNotifySocket } = this.#parts
    const address = env['NOTIFY_SOCKET']
    if (!address) return
    try {
      this.#socket = await open(address)
    } catch (err) {
      this.#warn(err)
      return
    }
    this.#look()
  }

  /** The configuration is being read again. */
  reloading(): void {
    // Of the clock systemd compares with (sd_notify(3), RELOADING=1).
    const now = process.hrtime.bigint() / 1000n
    this.#tell(['RELOADING=1', `MONOTONIC_USEC=${now}`, 'STATUS=reading the configuration'])
  }

  /** It has been read; `trouble` says why it was not taken. */
  reloaded(trouble: string | undefined): void {
    this.#said = trouble
    this.#tell([...(this.#ready ? ['READY=1'] : []), `STATUS=${trouble ?? this.#parts.status()}`])
  }

  /** The process ends when its calls have. */
  stopping(): void {
    this.#said = undefined
    this.#tell(['STOPPING=1', `STATUS=${this.#parts.status()}`])
  }

  /** Says nothing more; resolves when everything said is out. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.clear()
    await this.#queue
  }

  /** Once in each interval: whether all is well, and how it goes. */
  #look(): void {
    void this.#report().then(() => {
      if (this.#closed) return
      const { clock } = this.#parts
      const pause = this.#ready ? this.#interval : Math.min(READY_INTERVAL, this.#interval)
      this.#timer = clock.setTimeout(() => this.#look(), pause)
    })
  }

  async #report(): Promise<void> {
    const { log, reasons, status, stuck } = this.#parts
    const lines: string[] = []
    const missing = this.#ready ? [] : reasons()
    if (!this.#ready && missing.length === 0) {
      this.#ready = true
      lines.push('READY=1')
    }
    const part = this.#watchdog ? await stuck() : undefined
    if (this.#closed) return
    if (part === undefined) {
      if (this.#watchdog) lines.push('WATCHDOG=1')
    } else if (this.#stuck === undefined) log.error({ part }, 'the watchdog is not fed')
    this.#stuck = part
    const said = part ?? (missing[0] && `waiting: ${missing[0]}`) ?? this.#said ?? status()
    await this.#tell([...lines, `STATUS=${said}`])
  }

  #tell(assignments: string[]): Promise<void> {
    const socket = this.#socket
    if (!socket || this.#closed) return Promise.resolve()
    // A line for each: nothing said may begin another.
    const lines = assignments.map((line) => line.replace(/[\r\n]+/g, ' '))
    this.#queue = this.#queue.then(() => socket.send(lines)).catch((err) => this.#warn(err))
    return this.#queue
  }

  #warn(err: unknown): void {
    if (!this.#warned) this.#parts.log.warn({ err }, 'the service manager cannot be told anything')
    this.#warned = true
  }
}

/** Milliseconds after which the watchdog restarts this process; undefined without one (sd_watchdog_enabled(3)). */
function watchdogMs(env: ServiceParts['env'], pid: number): number | undefined {
  const { WATCHDOG_USEC: patience, WATCHDOG_PID: whom } = env
  if (!patience || !/^[1-9]\d{0,15}$/.test(patience)) return undefined
  return whom && whom !== String(pid) ? undefined : Number(patience) / 1000
}
