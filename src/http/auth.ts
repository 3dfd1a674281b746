import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { CausewayError } from '../shared/errors/index.ts'
import type { Secret } from '../shared/secret.ts'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

function loopback(address: string): boolean {
  return /^(127\.|::1$|::ffff:127\.)/.test(address)
}

/**
 * The guard of everything under /api: `Authorization: Bearer <http.token>`; without a configured
 * token loopback only. Tokens are compared by digest, in constant time.
 */
export function apiGuard(token: () => Secret | undefined) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const secret = token()
    if (!secret) {
      if (loopback(request.socket.remoteAddress ?? '')) return
      const error = new CausewayError('APP_HTTP_LOOPBACK_ONLY')
      await reply.code(403).send({ error })
      return
    }
    const given = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
    if (timingSafeEqual(digest(given), digest(secret.reveal()))) return
    const error = new CausewayError('APP_HTTP_UNAUTHORIZED')
    await reply.code(401).header('www-authenticate', 'Bearer realm="causeway"').send({ error })
  }
}
