import { z } from 'zod'
import { flag, integer, leafFacts, path, secret, text } from '../leaf.ts'
import { Rejection } from '../rejection.ts'
import { parseRetention, parseSize } from '../units.ts'
import { parseTarget } from './events.ts'

/** A value with a unit, or a plain 0 for none. */
function orZero(expected: string, parse: (text: string) => number | Rejection) {
  return z
    .union([z.string(), z.number().meta({ const: 0 })])
    .transform((value, context): number => {
      const result = String(value) === '0' ? 0 : parse(String(value))
      if (!(result instanceof Rejection)) return result
      const params = { expected, meant: result.meant }
      context.addIssue({ code: 'custom', message: result.why, input: value, params })
      return z.NEVER
    })
    .register(leafFacts, { expected })
}

/** `records:` */
export const recordsSchema = z.strictObject({
  path: path()
    .prefault('data/')
    .describe(
      'Folder of the call history, the settings journal, rotations under way, kept SIP passwords and undelivered events.',
    ),
  ...secret(
    'secret',
    'Key that SIP passwords are kept with in `path`: 32 octets, in hex or base64. Absent: they live in memory only.',
  ),
  history: flag()
    .prefault(true)
    .describe(
      'Whether calls that have ended are kept in `path`. Without, the last 1000 live in memory.',
    ),
  keep: orZero('a time such as 90d or 12h, or 0', parseRetention)
    .prefault('90d')
    .describe('How long a call is kept after its start. 0: without end.'),
  max_size: orZero('a size such as 1GiB, or 0', parseSize)
    .prefault('1GiB')
    .describe(
      'Largest size of the call history; the oldest calls go first. 0: without limit. A call takes 2 to 6 KiB.',
    ),
  max_calls: integer(0, 1_000_000_000)
    .prefault(0)
    .describe('Most calls that are kept; the oldest go first. 0: without limit.'),
  push: z
    .strictObject({
      url: text({ expected: 'a URL such as https://cdr.example.com/calls' }, parseTarget)
        .meta({ examples: ['https://cdr.example.com/calls'] })
        .describe('Where each record is POSTed as JSON. Redirects are not followed.'),
      ...secret('secret', 'Key of the signature of each POST.'),
    })
    .optional()
    .describe('Delivery of each finished record, at least once, across restarts. Needs `history`.'),
})
