import { z } from 'zod'
import { oneOf, secret, text } from '../leaf.ts'
import { Rejection } from '../rejection.ts'
import { EVENT_TYPES } from '../types.ts'

/** The URL of something that is POSTed to. */
export function parseTarget(value: string): string | Rejection {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) return new Rejection('this is not an http(s) URL')
  if (url.username || url.password) return new Rejection('credentials do not belong into the URL')
  return url.hash ? new Rejection('a fragment is never sent') : url.href
}

/** `events:` */
export const eventsSchema = z.strictObject({
  webhooks: z
    .array(
      z.strictObject({
        url: text({ expected: 'a URL such as https://crm.example.com/calls' }, parseTarget)
          .meta({ examples: ['https://crm.example.com/calls'] })
          .describe('Where each event is POSTed as JSON. Redirects are not followed.'),
        ...secret('secret', 'Key of the signature of each POST.'),
        events: z
          .array(oneOf(EVENT_TYPES))
          .min(1)
          .optional()
          .meta({ examples: [['call.answered', 'call.ended']] })
          .describe('Types that are sent. Default: all of them.'),
      }),
    )
    .prefault([])
    .meta({
      examples: [[{ url: 'https://crm.example.com/calls', secret_file: 'crm.secret' }]],
    })
    .describe('Targets of signed HTTP POSTs, in which a CRM can follow calls.'),
})
