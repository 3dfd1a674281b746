/** JSON Schemas of the control API's bodies. Times in milliseconds. */

const milliseconds = { type: 'integer', minimum: 0, maximum: 86_400_000 }
const party = {
  type: 'string',
  pattern: '^(\\+?\\d{5,15}|[A-Z]{2}\\.\\w+)$',
  description: 'an E.164 number, with or without +, or a BSUID',
}

function object(properties: Record<string, object>, required: string[] = []): object {
  return { type: 'object', additionalProperties: false, required, properties }
}

/** POST /calls */
export const placeCall = object(
  {
    from: party,
    to: party,
    ctaPayload: { type: 'string', maxLength: 512 },
    deeplinkPayload: { type: 'string', maxLength: 512 },
    hangupAfter: milliseconds,
    cancelAfter: milliseconds,
  },
  ['from', 'to'],
)

/** POST /calls/:id/dtmf */
export const dtmf = object({ digits: { type: 'string', pattern: '^[0-9*#A-Da-d]{1,64}$' } }, [
  'digits',
])

/** PUT /consumers/:number */
export const consumer = object({
  name: { type: 'string', maxLength: 256 },
  country: { type: 'string', pattern: '^[A-Z]{2}$' },
  userId: { type: 'string', pattern: '^[A-Z]{2}\\.\\w+$' },
  parentUserId: { type: 'string' },
  username: { type: 'string' },
  hidesNumber: { type: 'boolean' },
  script: object(
    {
      action: { enum: ['answer', 'decline', 'unanswered', 'unreachable', 'error'] },
      after: milliseconds,
      hangupAfter: milliseconds,
    },
    ['action'],
  ),
  permission: { enum: ['no_permission', 'temporary', 'permanent'] },
  business: party,
})

/** PUT /behaviour */
export const behaviour = object({
  digest: {
    type: 'array',
    minItems: 1,
    maxItems: 3,
    uniqueItems: true,
    items: { enum: ['MD5', 'SHA-256', 'SHA-512-256'] },
  },
  options: { enum: ['answer', 'drop', 'challenge'] },
  answerWindow: milliseconds,
  ringTime: milliseconds,
  mediaStart: milliseconds,
  mediaGap: milliseconds,
  connections: { enum: ['each', 'reuse'] },
  display: { enum: ['digits', 'name'] },
  dtlsRole: { enum: ['passive', 'active'] },
  dtlsDelay: milliseconds,
  codecOrder: { enum: ['opus-first', 'g711-first'] },
  earlyMedia: { enum: ['refuse', 'accept'] },
  firstPacket: milliseconds,
  ahead: milliseconds,
  loss: { type: 'number', minimum: 0, maximum: 1 },
  strict: { type: 'boolean' },
  graph: object({
    dialect: { enum: ['meta', 'v23', '360dialog'] },
    srtpReset: { enum: ['off', 'omitted', 'always', 'stubborn'] },
    reportServerDetails: { type: 'boolean' },
  }),
})

/** PUT /webhooks */
export const webhooks = object(
  {
    url: { type: 'string', pattern: '^https?://' },
    verifyToken: { type: 'string' },
    appSecret: { type: 'string' },
  },
  ['url'],
)
