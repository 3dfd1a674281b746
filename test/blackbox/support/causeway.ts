import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { PATIENCE } from '../../support/until.ts'

/** Where a running instance listens. */
export interface Addresses {
  http: string
  whatsapp: number
  udp: number
  tcp: number
}

/** `causeway up` as a child process. */
export class Causeway {
  readonly child: ChildProcess
  readonly exited: Promise<number | null>
  stdout = ''
  stderr = ''
  #listeners: (() => void)[] = []

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, ['src/cli/causeway.js', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      for (const listener of this.#listeners) listener()
    })
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      for (const listener of this.#listeners) listener()
    })
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code) => {
        resolve(code)
        for (const listener of this.#listeners) listener()
      })
    })
  }

  /** Everything printed. */
  get output(): string {
    return this.stdout + this.stderr
  }

  /** Resolves when something printed matches. @throws Error after `ms`, or when the process ends */
  async printed(pattern: RegExp, ms = PATIENCE): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        stop()
        reject(new Error(`${why} waiting for ${pattern}:\n${this.output}`))
      }
      const look = (): void => {
        const match = pattern.exec(this.output)
        if (match) {
          stop()
          resolve(match)
        } else if (this.child.exitCode !== null) fail('the process ended')
      }
      const timer = setTimeout(() => fail('time ran out'), ms)
      const stop = (): void => {
        clearTimeout(timer)
        this.#listeners = this.#listeners.filter((other) => other !== look)
      }
      this.#listeners.push(look)
      look()
    })
  }

  /** Its addresses, once it is ready (`--json`). */
  async ready(): Promise<Addresses> {
    const [line] = await this.printed(/^\{"event":"ready".*\}$/m)
    const { http, whatsapp, pbx } = JSON.parse(line) as {
      http: string
      whatsapp: string
      pbx: string[]
    }
    const port = (url = ''): number => Number(url.slice(url.lastIndexOf(':') + 1))
    const of = (transport: string) => port(pbx.find((url) => url.startsWith(`${transport}:`)))
    return { http, whatsapp: port(whatsapp), udp: of('udp'), tcp: of('tcp') }
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name)
  }

  /** SIGTERM, then the exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null) this.signal('SIGTERM')
    return await this.exited
  }

  /** Its command line and environment as the kernel shows them; empty where there is no /proc. */
  visible(): string {
    try {
      return readFileSync(`/proc/${this.child.pid}/cmdline`, 'latin1')
    } catch {
      return ''
    }
  }
}
