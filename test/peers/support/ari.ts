import { once } from 'node:events'

/** A channel as ARI shows it. */
export interface AriChannel {
  id: string
  name: string
  state: string
  caller: { number: string }
}

/** An event of ARI, the parts that are used. */
export interface AriEvent {
  type: string
  channel?: AriChannel
  /** Q.850 cause of a ChannelDestroyed. */
  cause?: number
}

/** Asterisk's REST interface with its events. */
export interface Ari {
  /** Sends a request; the body of the answer, undefined when it has none. Throws on a failure. */
  request(method: string, path: string, query?: Record<string, string>): Promise<unknown>
  /** The first event, past or to come, that fits. Throws when none came in time. */
  event(what: string, test: (event: AriEvent) => boolean, within?: number): Promise<AriEvent>
  close(): void
}

/** Connects to ARI as the application `tester` and listens to every channel. */
export async function connectAri(base: string, credentials: string): Promise<Ari> {
  const query = new URLSearchParams({ app: 'tester', subscribeAll: 'true', api_key: credentials })
  const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/events?${query}`)
  const events: AriEvent[] = []
  const waiting = new Set<(event: AriEvent) => void>()
  socket.addEventListener('message', ({ data }) => {
    const event = JSON.parse(String(data)) as AriEvent
    events.push(event)
    for (const look of [...waiting]) look(event)
  })
  await once(socket, 'open')
  return {
    async request(method, path, parameters = {}) {
      const url = `${base}${path}?${new URLSearchParams(parameters)}`
      const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
      const response = await fetch(url, { method, headers: { authorization } })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
      return text === '' ? undefined : JSON.parse(text)
    },
    event(what, test, within = 10_000) {
      const known = events.find(test)
      if (known) return Promise.resolve(known)
      return new Promise((resolve, reject) => {
        const look = (event: AriEvent): void => {
          if (!test(event)) return
          clearTimeout(timer)
          waiting.delete(look)
          resolve(event)
        }
        const timer = setTimeout(() => {
          waiting.delete(look)
          reject(new Error(`no event within ${within} ms: ${what}`))
        }, within)
        waiting.add(look)
      })
    },
    close: () => socket.close(),
  }
}
