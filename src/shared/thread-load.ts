import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

/** How busy a thread is. Crosses threads. */
export interface ThreadLoadState {
  /** Seconds its event loop has worked since the start; the rest of the time it waited. */
  busySeconds: number
  /** Seconds by which its timers were late since the last look: half of them, 99 of 100, the worst. */
  delay: { p50: number; p99: number; max: number }
}

/** Milliseconds between the timers that are watched. */
const RESOLUTION = 20

/** Watches the event loop of the thread it is made in. */
export class ThreadLoad {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION })

  constructor() {
    this.#delay.enable()
  }

  /** The figures now; the delays begin anew. */
  take(): ThreadLoadState {
    const delay = this.#delay
    const state = {
      busySeconds: performance.eventLoopUtilization().active / 1000,
      delay: {
        p50: late(delay.percentile(50)),
        p99: late(delay.percentile(99)),
        max: late(delay.max),
      },
    }
    delay.reset()
    return state
  }

  stop(): void {
    this.#delay.disable()
  }
}

/** What is measured is the time from timer to timer, nanoseconds, which holds the resolution. */
function late(nanoseconds: number): number {
  const seconds = nanoseconds / 1e9 - RESOLUTION / 1000
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0
}
