import { z } from 'zod'
import { leafFacts, matching, oneOf, text } from '../leaf.ts'
import { Rejection } from '../rejection.ts'

const MODES = ['off', 'check', 'request'] as const

/** Longest body of an interactive WhatsApp message. */
const TEXT_LIMIT = 1024

const body = () =>
  text({ expected: `a text of 1 to ${TEXT_LIMIT} characters` }, (value) => {
    if (value.trim() === '') return new Rejection('the text is empty')
    return value.length > TEXT_LIMIT ? new Rejection(`longer than ${TEXT_LIMIT} characters`) : value
  })

/** `trunks[].permissions`: a word, or a mapping with the request message. */
export const permissionsLeaf = z
  .union([
    oneOf(MODES),
    z.strictObject({
      mode: oneOf(MODES).describe('`off`, `check` or `request`, as above.'),
      template: matching(/^[a-z0-9_]{1,512}$/, {
        expected: 'the name of a message template: lower-case letters, digits and _',
        why: 'this is not the name of a template',
      })
        .optional()
        .meta({ examples: ['call_permission'] })
        .describe(
          'Message template with a call permission request and no variables; reaches consumers outside the 24-hour service window, too.',
        ),
      language: matching(/^[a-z]{2,3}(_[A-Za-z]{2,4})?$/, {
        expected: 'a language code such as en or en_GB',
        why: 'this is not a language code of WhatsApp’s',
      })
        .optional()
        .meta({ examples: ['en_GB'] })
        .describe('Language of the template.'),
      text: body()
        .optional()
        .meta({ examples: ['May we call you about your order?'] })
        .describe('Body of the free-form request message, when there is no template.'),
    }),
  ])
  .prefault('off')
  .register(leafFacts, {
    expected: 'off, check or request, or { mode: request, template: …, language: … }',
  })
  .describe(
    'Whether the consumer’s call permission is looked up before a call goes out: `off` leaves it to WhatsApp, `check` refuses a call without permission, `request` also sends the consumer the request message.',
  )
