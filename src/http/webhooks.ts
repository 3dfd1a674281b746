import type { FastifyInstance } from 'fastify'
import { CausewayError } from '../shared/errors/index.ts'

/** Who takes WhatsApp's webhooks. The running instance implements it. */
export interface WebhookDoor {
  /** Absolute path as configured now: `/webhooks/whatsapp`. Undefined: none, and it does not exist. */
  path(): string | undefined
  /** Largest body, bytes. */
  bodyLimit: number
  /** Body of the 200 that answers a verification handshake; undefined: 403. */
  handshake(query: Readonly<Record<string, unknown>>): string | undefined
  /** Takes a raw body with the value of X-Hub-Signature-256. */
  receive(body: Buffer, signature: unknown): 'accepted' | 'forged' | 'full'
  /** A body that was refused for its size, unread. */
  tooLarge(): void
}

/** Seconds after which a sender may try again when the queue is full. */
const RETRY_AFTER = 5

/** Where the routes are; the path that is configured now leads here. */
const INNER = '/-/webhooks'

/** The URL a request is routed by: that of the webhooks for their configured path. */
export function webhookUrl(url: string, path: string | undefined): string {
  const [asked = '', ...query] = url.split('?')
  if (asked === path) return [INNER, ...query].join('?')
  // Nobody comes in by the inner one.
  return asked.startsWith('/-/') ? '/-/none' : url
}

/**
 * WhatsApp's webhooks, outside of /api and its token: the signature is what counts. The routes have a scope
 * of their own with a larger body limit; a body above it is refused by its length, before it is read.
 */
export function webhookRoutes(app: FastifyInstance, door: WebhookDoor): void {
  app.register(async (scope) => {
    // The signature covers the bytes as they came, whatever their type is said to be.
    scope.removeAllContentTypeParsers()
    const whole = { parseAs: 'buffer', bodyLimit: door.bodyLimit } as const
    scope.addContentTypeParser('*', whole, (_request, body, done) => done(null, body))
    scope.setErrorHandler((error: Error & { statusCode?: number }) => {
      if (error.statusCode === 413) door.tooLarge()
      // The handler of the whole interface answers.
      throw error
    })

    scope.get(INNER, async (request, reply) => {
      const challenge = door.handshake(request.query as Record<string, unknown>)
      if (challenge !== undefined) return reply.type('text/plain').send(challenge)
      return reply.code(403).send({ error: new CausewayError('APP_WEBHOOK_HANDSHAKE') })
    })

    scope.post(INNER, { bodyLimit: door.bodyLimit }, async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const answer = door.receive(body, request.headers['x-hub-signature-256'])
      if (answer === 'accepted') return reply.type('text/plain').send('')
      if (answer === 'forged') {
        return reply.code(403).send({ error: new CausewayError('APP_WEBHOOK_SIGNATURE') })
      }
      return reply
        .code(503)
        .header('retry-after', RETRY_AFTER)
        .send({ error: new CausewayError('APP_WEBHOOK_BUSY') })
    })
  })
}
