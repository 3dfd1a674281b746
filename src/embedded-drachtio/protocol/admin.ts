import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/log.ts'
import { AppConnection, type ConnectionLimits } from './connection.ts'

/** Bounds of the application side. */
export interface AdminLimits extends ConnectionLimits {
  /** Applications connected at one time. */
  connections: number
  /** How long a connection may stay without authentication, milliseconds. */
  authenticateTimeout: number
}

/** Defaults of {@link AdminLimits}. */
export const defaultAdminLimits: AdminLimits = {
  frameBytes: 262_144,
  queueBytes: 16_777_216,
  connections: 64,
  authenticateTimeout: 10_000,
}

export interface AdminOptions {
  host: string
  /** 0 lets the system choose. */
  port: number
  limits: AdminLimits
  ids: () => string
  clock: Clock
  log: Logger
  frame(app: AppConnection, payload: Buffer): void
  closed(app: AppConnection): void
}

/** The socket applications connect to. */
export class AdminServer {
  readonly #options: AdminOptions
  readonly #server: Server
  readonly #apps = new Set<AppConnection>()

  constructor(options: AdminOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** Opens the socket. @throws CausewayError SIP_ADMIN_LISTEN_FAILED */
  listen(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options
    return new Promise((resolve, reject) => {
      const failed = (cause: Error): void => {
        reject(
          new CausewayError('SIP_ADMIN_LISTEN_FAILED', { detail: `${host} port ${port}`, cause }),
        )
      }
      this.#server.once('error', failed)
      this.#server.listen(port, host, () => {
        this.#server.off('error', failed)
        this.#server.on('error', (err) => this.#options.log.warn({ err }, 'application socket'))
        const address = this.#server.address()
        const bound = typeof address === 'object' && address !== null ? address.port : port
        resolve({ host, port: bound })
      })
    })
  }

  /** Applications that have authenticated, and bytes they have not read. */
  sizes(): { connections: number; queuedBytes: number } {
    let connections = 0
    let queuedBytes = 0
    for (const app of this.#apps) {
      if (app.authenticated) connections++
      queuedBytes += app.queued
    }
    return { connections, queuedBytes }
  }

  close(): Promise<void> {
    for (const app of this.#apps) app.destroy()
    return new Promise((resolve) => {
      if (this.#server.listening) this.#server.close(() => resolve())
      else resolve()
    })
  }

  #accept(socket: Socket): void {
    const { limits, ids, clock, log, frame, closed } = this.#options
    if (this.#apps.size >= limits.connections) {
      socket.destroy()
      return
    }
    const app = new AppConnection(socket, ids, limits, {
      frame,
      closed: (gone) => {
        timer.clear()
        this.#apps.delete(gone)
        log.debug({ remote: gone.remote }, 'application disconnected')
        closed(gone)
      },
    })
    const timer = clock.setTimeout(() => {
      if (!app.authenticated) app.destroy()
    }, limits.authenticateTimeout)
    this.#apps.add(app)
    log.debug({ remote: app.remote }, 'application connected')
  }
}
