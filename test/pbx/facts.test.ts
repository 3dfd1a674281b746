import t from 'tap'
import { factsOf } from '../../src/pbx/facts.ts'
import { contentsOf, generate, trunkOf } from './support.ts'

const sales = `numbers:
  - name: sales
    phone_number: "+33199005678"
    phone_number_id: "106540352242923"
    access_token: token-of-sales
    calling:
      srtp_key_exchange_protocol: SDES
      sip: { status: ENABLED }
    inbound:
      trunk: other
`
const other = `trunks:
  - name: other
    targets: ["sip:10.0.0.10:5060"]
    media: { srtp: sdes }
`

t.test('of several numbers, those whose calls come over the trunk are shown first', async (t) => {
  const config = trunkOf('address', ['numbers:\n', sales], ['trunks:\n', other])
  const facts = (name: string) =>
    factsOf(config, config.trunks.find((trunk) => trunk.name === name)!, {
      host: undefined,
      over: undefined,
    })
  t.match(facts('main'), {
    numbers: [{ name: 'support' }],
    caller: '+441632960123',
    callers: ['+441632960123', '+33199005678'],
  })
  t.match(facts('other'), {
    numbers: [{ name: 'sales' }],
    caller: undefined,
    callers: ['+33199005678', '+441632960123'],
  })
  const { trunks } = config
  const only = { ...config, trunks: trunks.filter(({ name }) => name === 'main') }
  only.trunks[0] = {
    ...only.trunks[0]!,
    outbound: { ...only.trunks[0]!.outbound, number: undefined },
  }
  t.match(
    contentsOf(generate('asterisk', only), 'extensions.conf'),
    'CALLERID(num)=+441632960123',
    'the one to begin with, where outbound.number names none',
  )
})
