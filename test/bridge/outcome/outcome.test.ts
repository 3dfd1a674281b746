import t from 'tap'
import { pbxOutcome, tryNextTarget, tryOverflow } from '../../../src/bridge/outcome/pbx.ts'
import {
  passReason,
  q850Reason,
  refusalHeaders,
  textOfReason,
} from '../../../src/bridge/outcome/refusal.ts'
import { isKnownRefusal, whatsappOutcome } from '../../../src/bridge/outcome/whatsapp.ts'
import { CausewayError } from '../../../src/shared/errors/index.ts'

t.test('final responses of WhatsApp', async (t) => {
  const table: [number, string, string, number, number][] = [
    [400, 'Asset not found, invalid business phone number', 'CALL_WHATSAPP_NUMBER_UNKNOWN', 403, 1],
    [
      403,
      'SIP server a.example from INVITE does not match any SIP server configured for phone number id 1',
      'CALL_WHATSAPP_SERVER_MISMATCH',
      403,
      21,
    ],
    [
      403,
      'No Approved Call Permission Found: No approved call permission from the recipient',
      'CALL_WHATSAPP_NO_PERMISSION',
      403,
      21,
    ],
    [403, 'No Approved Call Permission Found', 'CALL_WHATSAPP_NO_PERMISSION', 403, 21],
    [
      403,
      'The app 1 configured for SIP server a.example is not authorized for phone number id 2',
      'CALL_WHATSAPP_APP_UNAUTHORISED',
      403,
      21,
    ],
    [
      403,
      'Business Initiated Connected Call Per Day Limit Hit',
      'CALL_WHATSAPP_DAILY_LIMIT',
      480,
      42,
    ],
    [403, 'Duplicate call', 'CALL_WHATSAPP_DUPLICATE', 486, 17],
    [403, 'Payment method missing', 'CALL_WHATSAPP_PAYMENT', 402, 21],
    [
      403,
      'SDP Validation error: No fingerprint found in SDP',
      'CALL_WHATSAPP_SDP_REFUSED',
      488,
      88,
    ],
    [403, 'Invalid digest response', 'CALL_CREDENTIALS_REFUSED', 503, 21],
    [403, 'Calling is not enabled', 'CALL_WHATSAPP_CALLING_OFF', 403, 21],
    [403, 'Business initiated calling is restricted', 'CALL_WHATSAPP_PAUSED', 403, 52],
    [403, 'Calling is paused for low quality', 'CALL_WHATSAPP_PAUSED', 403, 52],
    [
      403,
      'Business initiated calling is not available for this phone number',
      'CALL_WHATSAPP_COUNTRY_BARRED',
      403,
      50,
    ],
    [403, 'Not offered in this country', 'CALL_WHATSAPP_COUNTRY_BARRED', 403, 50],
    [403, 'Service unavailable', 'CALL_WHATSAPP_CALLING_OFF', 403, 21],
    [403, 'Forbidden', 'CALL_WHATSAPP_FORBIDDEN', 403, 21],
    [404, 'Not found', 'CALL_WHATSAPP_NOT_FOUND', 404, 1],
    [407, 'Proxy Authentication Required', 'CALL_CREDENTIALS_REFUSED', 503, 21],
    [408, 'RTP Timeout', 'CALL_WHATSAPP_MEDIA_TIMEOUT', 408, 102],
    [480, 'Temporarily Unavailable', 'CALL_WHATSAPP_UNAVAILABLE', 480, 19],
    [486, 'User declined the call', 'CALL_WHATSAPP_DECLINED', 486, 17],
    [500, 'Internal Server Error', 'CALL_WHATSAPP_FAILED', 503, 41],
    [503, 'Service Unavailable', 'CALL_WHATSAPP_FAILED', 503, 41],
    [499, 'Odd', 'CALL_WHATSAPP_REFUSED', 503, 31],
    [302, 'Moved', 'CALL_WHATSAPP_REFUSED', 503, 31],
  ]
  for (const [status, reason, code, sip, q850] of table) {
    const error = whatsappOutcome({ status, reason, local: false })
    t.match(error, { code, sip, q850 }, reason)
    t.ok(error.detail?.includes(reason), 'the text of WhatsApp is kept')
  }
})

t.test('the text is read from the Warning when the reason phrase is short', async (t) => {
  const failure = {
    status: 403,
    reason: 'Forbidden',
    warning: '399 wa.meta.vc "No Approved Call Permission Found: x"',
    local: false,
  }
  t.equal(whatsappOutcome(failure).code, 'CALL_WHATSAPP_NO_PERMISSION')
  t.ok(isKnownRefusal(failure))
  t.notOk(isKnownRefusal({ status: 403, reason: 'Forbidden', local: false }))
  t.notOk(isKnownRefusal({ status: 403, reason: 'Wrong digest', local: false }))
})

t.test('no answer at all', async (t) => {
  const local = (status: number, reason: string) => ({ status, reason, local: true })
  t.equal(whatsappOutcome(local(408, 'Request Timeout')).code, 'CALL_WHATSAPP_TIMEOUT')
  t.equal(whatsappOutcome(local(503, 'DNS Error')).code, 'CALL_WHATSAPP_UNREACHABLE')
  t.equal(pbxOutcome(local(408, 'Request Timeout')).code, 'CALL_PBX_TIMEOUT')
  t.equal(pbxOutcome(local(503, 'DNS Error')).code, 'CALL_PBX_UNREACHABLE')
})

t.test('final responses of the PBX', async (t) => {
  const table: [number, string, number][] = [
    [301, 'CALL_PBX_REFUSED', 480],
    [403, 'CALL_PBX_REFUSED', 480],
    [401, 'CALL_PBX_AUTH_FAILED', 480],
    [404, 'CALL_PBX_NUMBER_UNKNOWN', 404],
    [480, 'CALL_NO_ANSWER', 480],
    [486, 'CALL_BUSY', 486],
    [488, 'CALL_PBX_MEDIA_REFUSED', 488],
    [500, 'CALL_PBX_FAILED', 503],
    [503, 'CALL_PBX_FAILED', 503],
    [600, 'CALL_BUSY', 486],
    [603, 'CALL_DECLINED', 603],
    [604, 'CALL_PBX_NUMBER_UNKNOWN', 404],
  ]
  for (const [status, code, sip] of table) {
    t.match(pbxOutcome({ status, reason: 'x', local: false }), { code, sip }, String(status))
  }
})

t.test('when another target or trunk is tried', async (t) => {
  const from = (status: number, local = false) => ({ status, reason: '', local })
  for (const status of [408, 503]) t.ok(tryNextTarget(from(status)))
  t.ok(tryNextTarget(from(480, true)), 'nothing came from the peer')
  for (const status of [404, 480, 486, 500, 603]) t.notOk(tryNextTarget(from(status)))
  for (const status of [404, 408, 480, 500, 503]) t.ok(tryOverflow(from(status)))
  for (const status of [486, 600, 603]) t.notOk(tryOverflow(from(status)))
})

t.test('what the PBX is told', async (t) => {
  const error = new CausewayError('CALL_WHATSAPP_NO_PERMISSION', { detail: '403 "no"\r\nVia: x' })
  t.same(refusalHeaders(error, 'sip.example.com'), {
    Reason: 'Q.850;cause=21;text="no call permission from the recipient"',
    Warning: `399 sip.example.com "CALL_WHATSAPP_NO_PERMISSION: 403 'no'  Via: x"`,
  })
  t.match(refusalHeaders(new CausewayError('CALL_LIMIT'), 'h'), { 'Retry-After': '10' })
  t.equal(q850Reason(16, 'x'.repeat(1000)).length, 'Q.850;cause=16;text=""'.length + 256)
})

t.test("a peer's Reason is passed on in one line", async (t) => {
  t.same(passReason(undefined), {})
  t.same(passReason('SIP;cause=500;\r\n text="x"'), { Reason: 'SIP;cause=500;  text="x"' })
  t.equal(textOfReason('SIP;cause=500;text="no media"'), 'no media')
  t.equal(textOfReason('Q.850;cause=16'), 'Q.850;cause=16')
  t.equal(textOfReason(undefined), undefined)
})
