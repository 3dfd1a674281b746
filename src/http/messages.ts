import type { FastifyInstance, FastifyReply } from 'fastify'
import { isCausewayError } from '../shared/errors/index.ts'
import type { Operations } from './operations.ts'

const STATUS: Partial<Record<string, number>> = {
  APP_CALL_UNKNOWN: 404,
  APP_MESSAGES_NONE: 404,
  APP_MESSAGES_OFF: 409,
}

/** The SIP messages of a call: as JSON, and as a capture file. */
export function messageRoutes(api: FastifyInstance, { calls }: Operations): void {
  api.get<{ Params: { id: string } }>('/calls/:id/messages', async ({ params }, reply) => {
    return answer(reply, () => calls.messages(params.id))
  })

  api.get<{ Params: { id: string } }>('/calls/:id/pcap', async ({ params }, reply) => {
    return answer(reply, () => {
      const file = calls.pcap(params.id)
      reply.type('application/vnd.tcpdump.pcap')
      // An id is hexadecimal; what is none never gets here.
      reply.header('content-disposition', `attachment; filename="${params.id}.pcap"`)
      return file
    })
  })
}

function answer(reply: FastifyReply, make: () => unknown): unknown {
  try {
    return make()
  } catch (error) {
    const status = isCausewayError(error) ? STATUS[error.code] : undefined
    if (status === undefined) throw error
    return reply.code(status).send({ error })
  }
}
