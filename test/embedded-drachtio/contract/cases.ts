import { once } from 'node:events'
import type { Test } from 'tap'
import { type Address, SipPeer } from '../../support/sip-peer.ts'
import { type App, connectApp, requests, type ServerUnderTest } from './srf.ts'

/** What a case works with. Everything it opens is closed after it. */
export interface Bench {
  t: Test
  server: ServerUnderTest
  /** SIP address of the server. */
  sip: Address
  app(handlers?: Parameters<typeof connectApp>[1]): Promise<App>
  peer(): Promise<SipPeer>
  /** An application that takes INVITEs, and the requests it gets. */
  service(): Promise<{ app: App; invites: ReturnType<typeof requests> }>
}

export type Case = (bench: Bench) => Promise<void>

/** Opens the bench of one case. */
export function bench(t: Test, server: ServerUnderTest): Bench {
  const app: Bench['app'] = async (handlers) => {
    const connected = await connectApp(server, handlers)
    let closed = false
    connected.once('close', () => {
      closed = true
    })
    t.teardown(async () => {
      // A case may have cut the connection itself.
      if (closed) return
      const gone = once(connected, 'close')
      connected.disconnect()
      await gone
    })
    return connected
  }
  return {
    t,
    server,
    sip: { host: server.sipHost, port: server.sipPort },
    app,
    async peer() {
      const peer = await SipPeer.open()
      t.teardown(() => peer.close())
      return peer
    },
    async service() {
      const invites = requests()
      return { app: await app({ invite: invites.handler }), invites }
    },
  }
}

/** Expects a rejection that has these fields; watches the promise from the call on. */
export async function fails(t: Test, pending: Promise<unknown>, wanted: object): Promise<void> {
  const outcome = await pending.then(
    () => undefined,
    (error: unknown) => error,
  )
  t.match(outcome, wanted)
}

/** The slice of a tap test that runs a table of cases. */
export interface Suite {
  test(name: string, body: (t: Test) => Promise<void>): PromiseLike<unknown>
}

/** Runs a table of cases one after the other: they share the server's subscriptions. */
export async function runCases(
  t: Suite,
  server: ServerUnderTest,
  cases: Record<string, Case>,
): Promise<void> {
  for (const [name, run] of Object.entries(cases)) {
    await t.test(name, (t) => run(bench(t, server)))
  }
}
