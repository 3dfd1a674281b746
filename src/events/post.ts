import { Agent, request } from 'undici'
import type { Clock } from '../shared/clock.ts'

/** What became of one attempt. */
export type PostOutcome =
  | { ok: true; status: number }
  | {
      ok: false
      reason: 'status' | 'redirect' | 'timeout' | 'connection' | 'stopped'
      /** Of an answer. */
      status: number | undefined
      /** What was found, for the log; no secrets. */
      detail: string
      /** Whether another attempt is no use. */
      final: boolean
      /** Milliseconds the target asks to be left alone. */
      retryAfter: number | undefined
    }

/** Posts one body; resolves with what became of it, never rejects. */
export type Post = (
  url: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
) => Promise<PostOutcome>

/** Milliseconds a target may take for its whole answer. */
export const TIMEOUT = 10_000
/** Bytes of an answer that are read, to keep the connection; nothing looks at them. */
const ANSWER_LIMIT = 64 * 1024
/** The longest Retry-After that is believed, milliseconds. */
const LONGEST_PAUSE = 600_000
/** Answers that say that the same event will never be taken. */
const FINAL = new Set([400, 410, 413, 422])

/** A connection pool of one target. */
export function createPost(options: { clock: Clock; connections: number; timeout?: number }): {
  post: Post
  close(): Promise<void>
} {
  const { clock, connections, timeout = TIMEOUT } = options
  const agent = new Agent({ connections, connect: { timeout: TIMEOUT } })

  const post: Post = async (url, headers, body, stopped) => {
    const limit = new AbortController()
    const timer = clock.setTimeout(() => limit.abort(), timeout)
    const signal = AbortSignal.any([limit.signal, stopped])
    try {
      const response = await request(url, {
        method: 'POST',
        headers,
        body,
        signal,
        dispatcher: agent,
      })
      const { statusCode: status } = response
      // An answer that never ends is cut off with the connection; the status stands.
      await response.body.dump({ limit: ANSWER_LIMIT, signal }).catch(() => {})
      if (status >= 200 && status < 300) return { ok: true, status }
      const redirect = status >= 300 && status < 400
      return {
        ok: false,
        reason: redirect ? 'redirect' : 'status',
        status,
        detail: redirect ? `${status}: redirects are not followed` : `status ${status}`,
        final: redirect || FINAL.has(status),
        retryAfter: retryAfterOf(response.headers['retry-after']),
      }
    } catch (error) {
      const reason = stopped.aborted ? 'stopped' : limit.signal.aborted ? 'timeout' : 'connection'
      const detail = reason === 'timeout' ? `no answer in ${timeout} ms` : textOf(error)
      return { ok: false, reason, status: undefined, detail, final: false, retryAfter: undefined }
    } finally {
      timer.clear()
    }
  }
  return { post, close: () => agent.destroy() }
}

/** Retry-After in seconds (RFC 9110 §10.2.3), as milliseconds; dates are not believed. */
function retryAfterOf(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string' || !/^\d{1,9}$/.test(header.trim())) return undefined
  return Math.min(Number(header) * 1000, LONGEST_PAUSE)
}

function textOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return typeof code === 'string' ? code : String(message)
}
