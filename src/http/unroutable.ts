import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { CausewayError } from '../shared/errors/index.ts'

type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/** Answers a path that cannot be routed, such as one with `%zz` in it; those of the API want its token first. */
export function answerUnroutable(guard: Guard) {
  return (
    error: Error & { statusCode?: number },
    request: FastifyRequest,
    reply: FastifyReply,
  ): void => {
    void (async () => {
      if (underApi(request.raw.url ?? '')) await guard(request, reply)
      if (!reply.sent) await reply.code(error.statusCode ?? 400).send(refusal(error.message))
    })()
  }
}

/** Answers what is no HTTP, or has larger headers than are read, and closes the connection. */
export function answerMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && socket.writable) {
    const [status, detail] = MALFORMED[error.code ?? ''] ?? [400, 'this is no HTTP request']
    const body = JSON.stringify(refusal(detail))
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    )
  }
  socket.destroy(error)
}

/** By the codes of Node's parser and server. */
const MALFORMED: Partial<Record<string, [status: number, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come to its end'],
  HPE_HEADER_OVERFLOW: [431, 'the headers are too large'],
}

function underApi(url: string): boolean {
  return /^\/api(?![^/?])/.test(url)
}

function refusal(detail: string): { error: CausewayError } {
  return { error: new CausewayError('APP_HTTP_BAD_REQUEST', { detail }) }
}
