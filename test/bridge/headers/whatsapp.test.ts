import t from 'tap'
import { collectFacts, factsToPbx, wacidOf } from '../../../src/bridge/headers/whatsapp.ts'
import type { WhatsAppFacts } from '../../../src/calls/index.ts'

t.test('every spelling of the headers of WhatsApp', async (t) => {
  const facts: WhatsAppFacts = {}
  collectFacts(
    {
      'x-wa-meta-wacid': 'wacid.AA==',
      'X-WA-Meta-User-Id': 'FR.1',
      'x-wa_meta-parent-user-id': 'FR.2',
      'x-wa-meta-user-name': 'zoe',
      'x-wa-meta-user-country-code': 'FR',
      'x-wa-meta-cta-payload': 'cta',
      'x-wa-meta-deeplink-payload': '',
      'x-wa-meta-call-duration': '42',
      'x-wa-meta-new-thing': 'x',
      'X-FB-External-Domain': 'wa.meta.vc',
      from: 'x',
    },
    facts,
  )
  t.same(facts, {
    wacid: 'wacid.AA==',
    userId: 'FR.1',
    parentUserId: 'FR.2',
    username: 'zoe',
    country: 'FR',
    ctaPayload: 'cta',
    callDuration: 42,
  })
  collectFacts({ 'x-wa-meta-user-id': 'FR.9', 'x-wa-meta-call-duration': 'soon' }, facts)
  t.equal(facts.userId, 'FR.1', 'what is known stays')
  t.equal(facts.callDuration, 42)
})

t.test('the id of the call', async (t) => {
  t.equal(wacidOf({ wacid: 'wacid.A' }, 'outgoing:wacid.B'), 'wacid.A')
  t.equal(wacidOf({}, 'outgoing:wacid.B'), 'wacid.B')
  t.equal(wacidOf({}, 'something-else'), undefined)
})

t.test('headers to the PBX', async (t) => {
  const number = { phoneNumber: '+441632960123', phoneNumberId: '106540352242922' }
  t.same(factsToPbx({ wacid: 'wacid.A', ctaPayload: 'a\r\nVia: b' }, number), {
    'X-WhatsApp-Wacid': 'wacid.A',
    'X-WhatsApp-Cta-Payload': 'aVia: b',
    'X-WhatsApp-Business-Number': '+441632960123',
    'X-WhatsApp-Phone-Number-Id': '106540352242922',
  })
})
