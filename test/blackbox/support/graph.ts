import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Seen {
  method: string
  path: string
  authorization: string | undefined
  body: unknown
}

/** A Graph API that knows one app's settings of some numbers. */
export class ForeignGraph {
  /** SIP password by phone number ID. */
  readonly passwords = new Map<string, string>()
  /** The `calling` object as stored, by phone number ID. */
  readonly calling = new Map<string, Record<string, unknown>>()
  readonly seen: Seen[] = []
  /** The password a number gets when its server is removed, by phone number ID. */
  readonly nextPasswords = new Map<string, string>()
  /** Which writes are answered 503. */
  busyFor: (calling: Record<string, unknown>) => boolean = () => false
  readonly token: string
  readonly #server: Server

  constructor(token: string) {
    this.token = token
    this.#server = createServer((request, response) => {
      void answer(this, request).then(([status, body]) => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(body))
      })
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  add(id: string, password: string): void {
    this.passwords.set(id, password)
    this.calling.set(id, { status: 'DISABLED', call_icon_visibility: 'DEFAULT' })
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

async function answer(graph: ForeignGraph, request: IncomingMessage): Promise<[number, unknown]> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  const body: unknown = text === '' ? undefined : JSON.parse(text)
  const { method = '', url = '' } = request
  const { authorization } = request.headers
  graph.seen.push({ method, path: url, authorization, body })
  if (authorization !== `Bearer ${graph.token}`) {
    return [401, failure(190, 'Invalid OAuth access token')]
  }
  const [path = '', query = ''] = url.split('?')
  const id = /^\/v\d+\.\d\/(\d+)\/settings$/.exec(path)?.[1]
  const stored = id === undefined ? undefined : graph.calling.get(id)
  if (id === undefined || !stored) return [400, failure(100, 'Unsupported request')]
  if (method === 'POST') {
    const { calling } = body as { calling: Record<string, unknown> }
    if (graph.busyFor(calling)) return [503, failure(2, 'Service temporarily unavailable')]
    graph.calling.set(id, merge(stored, calling))
    const next = graph.nextPasswords.get(id)
    if (next !== undefined && removesServer(calling)) graph.passwords.set(id, next)
    return [200, { success: true }]
  }
  const secret = new URLSearchParams(query).get('include_sip_credentials') === 'true'
  return [200, { calling: view(stored, secret ? graph.passwords.get(id) : undefined) }]
}

function removesServer({ sip }: Record<string, unknown>): boolean {
  return isObject(sip) && Array.isArray(sip['servers']) && sip['servers'].length === 0
}

function merge(into: Record<string, unknown>, from: Record<string, unknown>) {
  const merged: Record<string, unknown> = { ...into }
  for (const [key, value] of Object.entries(from)) {
    const old = merged[key]
    merged[key] = isObject(value) && isObject(old) ? merge(old, value) : value
  }
  return merged
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Read-only fields appear in each server, the password only when asked for. */
function view(calling: Record<string, unknown>, password: string | undefined) {
  const sip = calling['sip'] as { servers?: object[] } | undefined
  if (!sip?.servers) return calling
  const extra = { app_id: 634974688087057, ...(password ? { sip_user_password: password } : {}) }
  const servers = sip.servers.map((server) => ({ ...server, ...extra }))
  return { ...calling, sip: { ...sip, servers } }
}

function failure(code: number, message: string) {
  return { error: { message: `(#${code}) ${message}`, type: 'OAuthException', code } }
}
