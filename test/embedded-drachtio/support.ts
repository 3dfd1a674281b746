import {
  createSipServer,
  type SipServer,
  type SipServerOptions,
} from '../../src/embedded-drachtio/server.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import type { ServerUnderTest } from './contract/srf.ts'

export const testSecret = 'cymru'

/** An embedded server on loopback with one UDP listener, and its addresses. */
export async function openServer(
  options: Partial<SipServerOptions> = {},
): Promise<{ server: SipServer; address: ServerUnderTest }> {
  const server = await createSipServer({
    admin: { host: '127.0.0.1', port: 0, secret: new Secret(testSecret) },
    listeners: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
    log: silentLogger(),
    ...options,
  })
  const [listener] = server.listeners()
  return {
    server,
    address: {
      host: server.admin.host,
      port: server.admin.port,
      secret: testSecret,
      sipHost: listener!.host,
      sipPort: listener!.port,
    },
  }
}
