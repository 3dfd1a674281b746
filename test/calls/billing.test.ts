import t from 'tap'
import { billingOf, causeOf, type EndedBy, endedBy, hungUpBy } from '../../src/calls/index.ts'
import { CausewayError, catalogue, type ErrorCode } from '../../src/shared/errors/index.ts'

t.test(
  'pulses of six seconds, begun ones in full, of WhatsApp’s length where it is known',
  async (t) => {
    const business = {
      direction: 'business-initiated',
      bye: undefined,
      webhook: undefined,
    } as const
    for (const [lengths, billing] of [
      [{ talkMs: undefined }, { pulses: 0, seconds: 0, basis: 'causeway' }],
      [{ talkMs: 0 }, { pulses: 0, seconds: 0, basis: 'causeway' }],
      [{ talkMs: 1 }, { pulses: 1, seconds: 0.001, basis: 'causeway' }],
      [{ talkMs: 6000 }, { pulses: 1, seconds: 6, basis: 'causeway' }],
      [{ talkMs: 6001 }, { pulses: 2, seconds: 6.001, basis: 'causeway' }],
      [
        { talkMs: 6001, bye: 6 },
        { pulses: 1, seconds: 6, basis: 'bye' },
      ],
      [
        { talkMs: 6001, bye: 6, webhook: 13 },
        { pulses: 3, seconds: 13, basis: 'webhook' },
      ],
      [
        { talkMs: 6001, webhook: 0 },
        { pulses: 0, seconds: 0, basis: 'webhook' },
      ],
    ] as const) {
      t.same(billingOf({ ...business, ...lengths }), billing, JSON.stringify(lengths))
    }
    const free = { direction: 'user-initiated', talkMs: 60_000, bye: 60, webhook: 60 } as const
    t.equal(billingOf(free).pulses, 0, 'calls from consumers are free')
  },
)

t.test('who ended a call', async (t) => {
  t.equal(endedBy('user-initiated', hungUpBy('whatsapp'), true), 'caller')
  t.equal(endedBy('user-initiated', hungUpBy('pbx'), true), 'callee')
  t.equal(endedBy('business-initiated', hungUpBy('whatsapp'), true), 'callee')
  t.equal(endedBy('business-initiated', hungUpBy('pbx'), true), 'caller')
  const by = (code: ErrorCode, detail?: string, asked = true): EndedBy => {
    const error = new CausewayError(code, detail === undefined ? {} : { detail })
    return endedBy('business-initiated', causeOf(error), asked)
  }
  for (const [code, expected] of [
    ['CALL_CANCELLED', 'caller'],
    ['CALL_BUSY', 'callee'],
    ['CALL_NO_ANSWER', 'callee'],
    ['CALL_WHATSAPP_DECLINED', 'callee'],
    ['CALL_WHATSAPP_UNAVAILABLE', 'callee'],
    ['CALL_PBX_UNREACHABLE', 'pbx'],
    ['CALL_PBX_AUTH_FAILED', 'causeway'],
    ['CALL_WHATSAPP_NO_PERMISSION', 'whatsapp'],
    ['CALL_WHATSAPP_MEDIA_TIMEOUT', 'whatsapp'],
    ['CALL_WHATSAPP_FAILED', 'whatsapp'],
    ['CALL_WHATSAPP_UNREACHABLE', 'causeway'],
    ['CALL_DRAINED', 'causeway'],
    ['CALL_ENDED_BY_OPERATOR', 'causeway'],
    ['CALL_INTERNAL', 'causeway'],
    ['CALL_LIMIT', 'causeway'],
  ] as const) {
    t.equal(by(code), expected, code)
  }
  t.equal(by('CALL_DIALOG_LOST', 'whatsapp leg: session timer'), 'whatsapp')
  t.equal(by('CALL_ACK_TIMEOUT', 'pbx leg: no ACK'), 'pbx')
  t.equal(by('CALL_WHATSAPP_NO_PERMISSION', undefined, false), 'causeway', 'refused without asking')
  for (const code of Object.keys(catalogue) as ErrorCode[]) {
    t.match(by(code), /^(caller|callee|pbx|whatsapp|causeway)$/, code)
  }
})
