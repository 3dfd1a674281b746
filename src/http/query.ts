import type { FastifyReply, FastifyRequest } from 'fastify'
import { CausewayError } from '../shared/errors/index.ts'
import { nearest } from '../shared/nearest.ts'

/**
 * Refuses a query parameter that the route does not know, with the one that was probably meant: a filter that is
 * mistyped and passed over would show everything. Routes without parameters take no notice.
 */
export async function refuseUnknownParameters(
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const schema = request.routeOptions.schema?.querystring as
    | { additionalProperties?: boolean; properties?: Record<string, unknown> }
    | undefined
  if (schema?.additionalProperties !== false) return
  const known = Object.keys(schema.properties ?? {})
  for (const name of Object.keys(request.query as object)) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    const hint = meant ? `; did you mean ${meant}?` : `; known are ${known.join(', ')}`
    await reply.code(400).send({ error: badParameter(`unknown parameter ${name}${hint}`) })
    return
  }
}

/** A parameter that cannot be taken; the detail names it. */
export function badParameter(detail: string): CausewayError {
  return new CausewayError('APP_HTTP_BAD_REQUEST', { detail })
}
