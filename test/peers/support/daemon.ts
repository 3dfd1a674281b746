import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** How a daemon is started. */
export interface DaemonOptions {
  name: string
  command: string
  args: string[]
  /** File its output goes to. */
  log: string
  cwd?: string
  env?: Record<string, string>
  /** Whether it is up; asked every 50 ms. */
  ready: () => boolean | Promise<boolean>
  /** Milliseconds until it must be up. Default 30 s. */
  within?: number
}

/** A process of ours in the background. */
export interface Daemon {
  readonly pid: number
  readonly log: string
  /** Whether it still runs. */
  readonly running: boolean
  /** SIGTERM, and SIGKILL after 10 s. Resolves with the exit code, null when a signal ended it. */
  stop(): Promise<number | null>
}

/**
 * Starts a daemon and waits until it is up. It is a direct child, so its pid cannot be another's
 * while it is signalled, and the kernel ends it when this process dies. Throws with the end of its
 * log when it does not come up.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { name, command, args, log } = options
  const line = ['--pdeathsig', 'TERM', command, ...args]
  const output = openSync(log, 'w')
  const child = spawn('setpriv', line, {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...options.env },
    ...(options.cwd ? { cwd: options.cwd } : {}),
  })
  closeSync(output)
  const ended = once(child, 'exit').catch(() => undefined)
  const running = (): boolean => child.exitCode === null && child.signalCode === null
  const stop = (): Promise<number | null> => stopChild(child, ended)
  const deadline = performance.now() + (options.within ?? 30_000)
  while (!(await options.ready())) {
    if (running() && performance.now() < deadline) {
      await sleep(50)
      continue
    }
    await stop()
    throw new Error(`${name} did not start:\n${tail(log)}`)
  }
  return {
    pid: child.pid!,
    log,
    get running() {
      return running()
    },
    stop,
  }
}

async function stopChild(child: ChildProcess, ended: Promise<unknown>): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(timer)
  }
  return child.exitCode
}

/** The last lines of a file. */
export function tail(file: string, lines = 30): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
}
