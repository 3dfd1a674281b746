/** The part of drachtio-srf that is used, as it behaves; its own declarations are looser. */

/** The connection to the SIP server, as far as writes can be gathered on it. */
export interface SrfSocket {
  cork(): void
  uncork(): void
}

export interface SrfMessage {
  headers: Record<string, string>
  body: string | undefined
}

export interface SrfRequest extends SrfMessage {
  method: string
  uri: string
  source: 'network' | 'application'
  socket: SrfSocket | undefined
  source_address: string
  source_port: number
  protocol: string
  receivedOn: string | undefined
  stackDialogId: string | undefined
  on(event: 'response', listener: (res: SrfResponse, ack: () => void) => void): void
  on(event: 'cancel', listener: (cancel: SrfMessage) => void): void
  on(event: 'update', listener: (req: SrfRequest, res: SrfResponse) => void): void
  cancel(options: { headers: Record<string, string> }): void
}

export interface SrfResponse extends SrfMessage {
  status: number
  reason: string
  source_address: string
  socket: SrfSocket | undefined
  stackDialogId: string | undefined
  send(
    status: number,
    reason: string | undefined,
    options: { headers?: Record<string, string>; body?: string },
    callback?: (error: unknown, sent?: SrfMessage) => void,
  ): void
  /** Set by drachtio-srf once the SIP server has taken a response. */
  meta: { dialogId?: string }
}

export interface SrfRequestOptions {
  method: string
  headers: Record<string, string>
  body?: string
  stackDialogId?: string
  proxy?: string
}

export interface SrfConnectOptions {
  host: string
  port: number
  secret: string
  reconnect: { retryMaxDelay: number }
}

export interface SrfApplication {
  connect(options: SrfConnectOptions): void
  disconnect(): void
  use(handler: (req: SrfRequest, res: SrfResponse) => void): void
  use(method: string, handler: (req: SrfRequest, res: SrfResponse) => void): void
  request(
    uri: string,
    options: SrfRequestOptions,
    callback: (error: Error | null, request?: SrfRequest) => void,
  ): void
  on(event: 'connect', listener: (error: Error | null, hostports?: string) => void): void
  on(event: 'error' | 'close', listener: (reason?: unknown) => void): void
}
