import { EventEmitter, once } from 'node:events'
import Srf from 'drachtio-srf'

/** The part of drachtio-srf the contract exercises, as it behaves. */
export interface AppMessage {
  method: string
  uri: string
  status: number
  reason: string
  body: string
  source: string
  source_address: string
  source_port: number
  protocol: string
  receivedOn: string
  stackTxnId: string
  stackDialogId: string
  get(name: string): string
  has(name: string): boolean
}

export interface AppResponse extends AppMessage {
  send(
    status: number,
    options?: { headers?: Record<string, string>; body?: string },
    sent?: (error: unknown, response: AppMessage) => void,
    prack?: (prack: AppRequest) => void,
  ): void
}

export interface AppRequest extends AppMessage {
  on(event: 'response', listener: (res: AppResponse, ack: (o?: object) => void) => void): void
  on(event: 'cancel', listener: (cancel: AppMessage) => void): void
  on(event: 'update', listener: (req: AppRequest, res: AppResponse) => void): void
  cancel(options?: object, callback?: (error: unknown) => void): void
}

export interface AppDialog extends EventEmitter {
  id: string
  sip: { callId: string; localTag: string; remoteTag: string }
  local: { sdp: string }
  remote: { sdp: string }
  destroy(): Promise<AppMessage>
  modify(sdp: string): Promise<string>
  request(options: object): Promise<AppResponse>
}

export interface UacOptions {
  localSdp?: string
  headers?: Record<string, string>
  proxy?: string
  auth?: { username: string; password: string }
  callingNumber?: string
  method?: string
}

export interface UacProgress {
  cbRequest?: (error: unknown, request: AppRequest) => void
  cbProvisional?: (response: AppResponse) => void
}

type Handler = (req: AppRequest, res: AppResponse) => void

export interface App extends EventEmitter {
  use(method: string, handler: Handler): void
  invite(handler: Handler): void
  options(handler: Handler): void
  createUAS(req: AppRequest, res: AppResponse, options: object): Promise<AppDialog>
  createUAC(uri: string, options: UacOptions, progress?: UacProgress): Promise<AppDialog>
  createB2BUA(
    req: AppRequest,
    res: AppResponse,
    uri: string,
    options: object,
    progress?: UacProgress,
  ): Promise<{ uas: AppDialog; uac: AppDialog }>
  request(uri: string, options: object): Promise<AppRequest>
  proxyRequest(req: AppRequest, destination: string, options?: object): Promise<unknown>
  disconnect(): void
  connect(options: object): void
}

/** A server under test, by address. */
export interface ServerUnderTest {
  /** Of the application socket. */
  host: string
  port: number
  secret: string
  /** Of a UDP listener. */
  sipHost: string
  sipPort: number
}

/** Connects an application and registers handlers before, as applications do. */
export async function connectApp(
  server: ServerUnderTest,
  handlers: Record<string, Handler> = {},
): Promise<App> {
  const app = new Srf() as unknown as App
  for (const [method, handler] of Object.entries(handlers)) app.use(method, handler)
  // Losing the connection is part of some tests.
  app.on('error', () => undefined)
  app.connect({ host: server.host, port: server.port, secret: server.secret })
  const [error] = (await once(app, 'connect')) as [Error | null]
  if (error) throw error
  await subscribed(app)
  return app
}

/**
 * The answers to `route` are not told; a request that is refused comes back after them, as frames
 * of a connection are worked off in order.
 */
async function subscribed(app: App): Promise<void> {
  const nowhere = { method: 'INFO', stackDialogId: 'none;from-tag=none' }
  await app.request('sip:nobody@127.0.0.1', nowhere).catch(() => undefined)
}

/** Collects what a handler is called with, to be awaited one by one. */
export class Calls<T> {
  readonly #events = new EventEmitter()
  readonly #queue: T[] = []

  add(value: T): void {
    this.#queue.push(value)
    this.#events.emit('added')
  }

  get count(): number {
    return this.#queue.length
  }

  async next(timeout = 5000): Promise<T> {
    const deadline = AbortSignal.timeout(timeout)
    while (this.#queue.length === 0) await once(this.#events, 'added', { signal: deadline })
    return this.#queue.shift()!
  }
}

/** A promise of one request and its response object. */
export function requests(): Calls<{ req: AppRequest; res: AppResponse }> & { handler: Handler } {
  const calls = new Calls<{ req: AppRequest; res: AppResponse }>()
  return Object.assign(calls, {
    handler: (req: AppRequest, res: AppResponse) => calls.add({ req, res }),
  })
}

/** Awaits an event of a dialog. */
export async function event(
  emitter: EventEmitter,
  name: string,
  timeout = 5000,
): Promise<unknown[]> {
  return (await once(emitter, name, { signal: AbortSignal.timeout(timeout) })) as unknown[]
}

/** An SDP body; `lines` of attributes pad it to any size. */
export function sdp(port: number, lines: string[] = []): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=sendrecv',
    ...lines,
    '',
  ].join('\r\n')
}
