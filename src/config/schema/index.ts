import { z } from 'zod'
import { parseHostPort } from '../addresses.ts'
import { integer, oneOf, secret, text } from '../leaf.ts'
import { eventsSchema } from './events.ts'
import { mediaSchema } from './media.ts'
import { numberSchema } from './numbers.ts'
import { recordsSchema } from './records.ts'
import { sipSchema } from './sip.ts'
import { telemetrySchema, traceSchema } from './trace.ts'
import { trunkSchema } from './trunks.ts'
import { whatsappSchema } from './whatsapp.ts'

/**
 * The whole file. The one source of what is valid: the check at start, the JSON Schema for editors
 * and the reference page all come from here.
 */
export const fileSchema = z.strictObject({
  sip: sipSchema.describe('The SIP side of Causeway itself.'),
  media: mediaSchema.prefault({}).describe('Media relay.'),
  whatsapp: whatsappSchema.prefault({}).describe('The WhatsApp side.'),
  numbers: z.array(numberSchema).prefault([]).describe('WhatsApp business numbers.'),
  trunks: z.array(trunkSchema).prefault([]).describe('PBX trunks.'),
  limits: z
    .strictObject({
      calls: integer(1, 1_000_000).prefault(1000).describe('Concurrent calls.'),
      calls_per_number: integer(1, 1_000_000)
        .prefault(1000)
        .describe('Concurrent calls of one number.'),
      invites_per_second: integer(1, 1_000_000)
        .prefault(100)
        .describe('New INVITEs a second, both sides together.'),
    })
    .prefault({})
    .describe('Limits; a call above them is refused.'),
  http: z
    .strictObject({
      listen: text({ expected: 'an address such as 127.0.0.1:8080' }, parseHostPort)
        .prefault('127.0.0.1:8080')
        .describe('Where health, metrics and the API listen.'),
      ...secret(
        'token',
        'Bearer token of everything under /api. Absent: /api answers on loopback only.',
      ),
    })
    .prefault({})
    .describe('HTTP listener.'),
  events: eventsSchema.prefault({}).describe('Events for other systems.'),
  records: recordsSchema.prefault({}).describe('Records: what is kept of calls and settings.'),
  log: z
    .strictObject({
      level: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .prefault('info')
        .describe('Least severe level that is written.'),
      numbers: oneOf(['full', 'masked'])
        .prefault('full')
        .describe(
          'Whether phone numbers appear whole, or with all but the last two digits masked.',
        ),
    })
    .prefault({})
    .describe('Log: JSON lines on standard output.'),
  trace: traceSchema.prefault({}).describe('The SIP messages of calls.'),
  telemetry: telemetrySchema
    .optional()
    .describe('Spans of each call for OpenTelemetry. Absent: none.'),
})

/** The file's values after parsing: typed leaves, keys as in the file, defaults filled in. */
export type FileValues = z.output<typeof fileSchema>
