import t from 'tap'
import { factsToPbx } from '../../src/bridge/headers/whatsapp.ts'
import { causesToPbx } from '../../src/pbx/causes.ts'
import { WHATSAPP_HEADERS } from '../../src/pbx/headers.ts'

t.test('the headers are those Causeway sends', async (t) => {
  const facts = {
    wacid: 'x',
    userId: 'x',
    parentUserId: 'x',
    username: 'x',
    country: 'x',
    ctaPayload: 'x',
    deeplinkPayload: 'x',
  }
  const sent = factsToPbx(facts, { phoneNumber: '+44', phoneNumberId: '1' })
  t.same(WHATSAPP_HEADERS.map(({ header }) => header).sort(), Object.keys(sent).sort())
})

t.test('each cause stands once, with the codes behind it', async (t) => {
  const causes = causesToPbx()
  const numbers = causes.map(({ q850 }) => q850)
  t.same(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  )
  const codes = causes.flatMap(({ errors }) => errors.map(({ code }) => code))
  for (const code of ['CALL_WHATSAPP_NO_PERMISSION', 'CALL_WHATSAPP_DECLINED', 'CALL_LIMIT']) {
    t.ok(codes.includes(code as never), code)
  }
  t.same(
    codes.filter((code) => !/^(CALL|MEDIA)_/.test(code) || code.startsWith('CALL_PBX_')),
    [],
    'none that a call to WhatsApp does not meet',
  )
})
