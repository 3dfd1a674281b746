import { z } from 'zod'
import { type HostPort, parseHostPort } from '../addresses.ts'
import { flag, integer, leafFacts, oneOf, secret, text } from '../leaf.ts'
import { Rejection } from '../rejection.ts'
import { parseSize } from '../units.ts'

function parseHepTarget(value: string): HostPort | Rejection {
  const match = /^udp:\/\/(.+)$/.exec(value)
  if (!match) return new Rejection('the address does not start with udp://')
  const parts = parseHostPort(match[1]!)
  if (parts instanceof Rejection) return parts
  return parts.port === 0 ? new Rejection('port 0 takes no packets') : parts
}

function parseEndpoint(value: string): string | Rejection {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) return new Rejection('this is not an http(s) URL')
  if (url.username || url.password) return new Rejection('credentials belong into `token`')
  if (url.search || url.hash) return new Rejection('a query does not belong here')
  return url.href.replace(/\/+$/, '')
}

function parseHeaderName(value: string): string | Rejection {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(value)
    ? value
    : new Rejection('this is not the name of a header')
}

/** `trace:` */
export const traceSchema = z.strictObject({
  messages: oneOf(['off', 'calls'])
    .prefault('off')
    .describe(
      'Whether the SIP messages of calls are kept in memory, without keys and credentials, for `calls show --bodies` and `calls pcap`.',
    ),
  keep: integer(4, 10_000)
    .prefault(100)
    .describe('Messages kept of one call; beyond them those in the middle go.'),
  calls: integer(1, 100_000)
    .prefault(1000)
    .describe('Ended calls whose messages are kept; the oldest go first.'),
  memory: text({ expected: 'a size such as 64MiB' }, parseSize)
    .prefault('64MiB')
    .describe('Text of messages kept in all; the oldest ended calls go first.'),
  hep: z
    .strictObject({
      target: text({ expected: 'an address such as udp://10.0.0.7:9060' }, parseHepTarget)
        .meta({ examples: ['udp://10.0.0.7:9060'] })
        .describe('Where Homer, or another HEP collector, listens.'),
      id: integer(1, 4_294_967_295)
        .prefault(2001)
        .describe('Capture agent ID this instance goes by at the collector.'),
      ...secret('password', 'Key the collector asks for (chunk 14). It travels as it is.'),
    })
    .optional()
    .describe(
      'Copies of every SIP message, without keys and credentials, for a Homer server (HEP version 3).',
    ),
})

/** `telemetry:` */
export const telemetrySchema = z.strictObject({
  endpoint: text({ expected: 'a URL such as http://127.0.0.1:4318' }, parseEndpoint)
    .meta({ examples: ['http://127.0.0.1:4318'] })
    .describe('OpenTelemetry collector (OTLP over HTTP); `/v1/traces` is added.'),
  ...secret('token', 'Sent to the collector as `Authorization: Bearer`, or in `header`.'),
  header: text({ expected: 'a header name such as x-api-key' }, parseHeaderName)
    .optional()
    .meta({ examples: ['x-api-key'] })
    .describe('Header that carries `token`, as it is, where the collector wants another one.'),
  service_name: z
    .string()
    .min(1)
    .register(leafFacts, { expected: 'a name' })
    .prefault('causeway')
    .describe('`service.name` of the spans.'),
  sample: z
    .number()
    .min(0)
    .max(1)
    .register(leafFacts, { expected: 'a share from 0 to 1' })
    .prefault(1)
    .describe('Share of the calls that are traced.'),
  numbers: flag()
    .prefault(false)
    .describe(
      'Whether spans carry the phone numbers and the WhatsApp id of the call. Needs `log.numbers: full`.',
    ),
})
