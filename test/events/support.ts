import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { Secret } from '../../src/shared/secret.ts'

export const SECRET = new Secret('crm-secret')

/** A POST a target received. */
export interface Posted {
  url: string
  headers: IncomingHttpHeaders
  body: string
}

/** What a scripted target does with a POST: a status, or anything at all with the response. */
export type Step = number | ((response: ServerResponse) => void)

/** Never answers; the connection stays open. */
export const hang: Step = () => {}
/** Cuts the connection. */
export const cut: Step = (response) => void response.destroy()

/** An HTTP server that follows a script, then answers 200. */
export class ScriptedTarget {
  readonly posted: Posted[] = []
  readonly script: Step[]
  readonly #server: Server
  #port = 0

  private constructor(script: Step[]) {
    this.script = script
    this.#server = createServer((request, response) => {
      void text(request).then((body) => {
        this.posted.push({ url: request.url ?? '', headers: request.headers, body })
        const step = this.script.shift() ?? 200
        if (typeof step === 'function') return step(response)
        response.writeHead(step, step === 307 ? { location: '/elsewhere' } : {})
        response.end()
      })
    })
  }

  static async start(t: Pick<Test, 'teardown'>, ...script: Step[]): Promise<ScriptedTarget> {
    const target = new ScriptedTarget(script)
    await new Promise<void>((resolve) => target.#server.listen(0, '127.0.0.1', resolve))
    target.#port = (target.#server.address() as AddressInfo).port
    t.teardown(() => target.close())
    return target
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/calls`
  }

  /** The events in the order they came, repetitions included. */
  get events(): { type: string; id: string; sequence?: number; data: Record<string, unknown> }[] {
    return this.posted.map(({ body }) => JSON.parse(body))
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

/** Whether a POST is signed as the documentation says. */
export function isGenuine({ headers, body }: Posted, secret: string): boolean {
  const signed = `${headers['x-causeway-timestamp']}.${body}`
  const digest = createHmac('sha256', secret).update(signed).digest('hex')
  return headers['x-causeway-signature-256'] === `sha256=${digest}`
}

/** Lets sockets do their work until something holds. @throws Error after thirty seconds */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 30_000
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what}: not within 30 s`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
