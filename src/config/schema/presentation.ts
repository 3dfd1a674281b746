import { z } from 'zod'
import { leafFacts, matching, oneOf, text } from '../leaf.ts'
import { parseDisplay } from '../templates.ts'

const digits = (pattern: RegExp, expected: string) =>
  matching(pattern, { expected, why: 'these are not digits of a dialling plan', quotable: true })

/** `trunks[].presentation` */
export const presentationSchema = z
  .strictObject({
    numbers: oneOf(['e164', 'digits', 'national'])
      .prefault('e164')
      .describe(
        'How phone numbers of caller and called party are written towards the PBX: `+441632960123`, `441632960123`, or `01632960123` with `country_code`.',
      ),
    country_code: digits(/^[1-9]\d{0,2}$/, 'a calling code in quotes such as "44"')
      .optional()
      .meta({ examples: ['44'] })
      .describe(
        'Calling code of the country the PBX dials in, in quotes. With it, national numbers the PBX dials or shows are understood.',
      ),
    national_prefix: digits(/^\d{0,4}$/, 'digits in quotes such as "0", or ""')
      .prefault('0')
      .describe('What stands before a national number; `""` where there is nothing.'),
    international_prefix: digits(/^[\d*#]{1,6}$/, 'digits in quotes such as "00"')
      .prefault('00')
      .describe('What stands before a foreign number.'),
    identity: oneOf(['pai', 'rpid', 'both', 'none'])
      .prefault('pai')
      .describe(
        'Who calls, besides From: P-Asserted-Identity (RFC 3325), Remote-Party-ID, both, or neither.',
      ),
    from: oneOf(['caller', 'business', 'anonymous'])
      .prefault('caller')
      .describe(
        'Who stands in From: the WhatsApp user, the business number, or nobody, with `Privacy: id` (RFC 3323). The identity headers name the WhatsApp user in any case.',
      ),
    display: text(
      { expected: 'profile, number, none, or a template such as "{profile} (WhatsApp)"' },
      parseDisplay,
    )
      .prefault('profile')
      .meta({ examples: ['{profile} ({line})'] })
      .describe(
        'Display name: the WhatsApp profile’s, the caller’s number, none, or a template of `{profile}`, `{username}`, `{caller}`, `{country}`, `{business}`, `{line}` (name of the number) and `{route}`.',
      ),
    user_id: oneOf(['keep', 'replace', 'display'])
      .prefault('keep')
      .describe(
        'What becomes of a user id (BSUID) of a caller without a phone number: it stays the user part, is replaced by `user_id_number`, or moves to the display name with `user_id_number` in its place. `X-WhatsApp-User-Id` has it in any case.',
      ),
    user_id_number: matching(/^[\w+.*#-]{1,64}$/, {
      expected: 'a user part in quotes such as "0000"',
      why: 'this is not a user part',
      quotable: true,
    })
      .optional()
      .meta({ examples: ['0000'] })
      .describe('User part that stands in for a user id, as it is.'),
  })
  .register(leafFacts, { expected: 'a mapping such as { numbers: digits }' })
