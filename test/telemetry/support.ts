import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as a collector gets it. */
export interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  name: string
  kind: number
  /** Milliseconds since the Unix epoch. */
  start: number
  end: number
  attributes: Record<string, unknown>
  status: { code?: number; message?: string }
}

/** An OTLP/HTTP collector on loopback that reads the JSON by itself. */
export async function otlpCollector(answer: () => number = () => 200) {
  const spans: OtlpSpan[] = []
  const seen: { url: string; headers: IncomingMessage['headers'] }[] = []
  const resources: Record<string, unknown>[] = []
  const waiting: (() => void)[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    request.on('end', () => {
      const status = answer()
      seen.push({ url: request.url ?? '', headers: request.headers })
      if (status === 200) read(JSON.parse(text), spans, resources)
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
      for (const look of waiting) look()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    spans,
    seen,
    resources,
    url: `http://127.0.0.1:${port}`,
    until: (done: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (done()) resolve()
        }
        waiting.push(look)
        look()
      }),
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

interface Pair {
  key: string
  value: Record<string, unknown>
}

interface Body {
  resourceSpans: {
    resource: { attributes: Pair[] }
    scopeSpans: {
      spans: (Omit<OtlpSpan, 'start' | 'end' | 'attributes'> & {
        startTimeUnixNano: string
        endTimeUnixNano: string
        attributes: Pair[]
      })[]
    }[]
  }[]
}

function read(body: Body, spans: OtlpSpan[], resources: Record<string, unknown>[]): void {
  for (const { resource, scopeSpans } of body.resourceSpans) {
    resources.push(valuesOf(resource.attributes))
    for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
      const { traceId, spanId, parentSpanId, name, kind, status } = span
      spans.push({
        traceId,
        spanId,
        parentSpanId,
        name,
        kind,
        status,
        start: Number(BigInt(span.startTimeUnixNano) / 1000n) / 1000,
        end: Number(BigInt(span.endTimeUnixNano) / 1000n) / 1000,
        attributes: valuesOf(span.attributes),
      })
    }
  }
}

function valuesOf(pairs: Pair[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map(({ key, value }) => {
      const [kind, content] = Object.entries(value)[0]!
      if (kind === 'arrayValue') {
        const { values } = content as { values: Record<string, unknown>[] }
        return [key, values.map((one) => Object.values(one)[0])]
      }
      return [key, kind === 'intValue' ? Number(content) : content]
    }),
  )
}
