import t from 'tap'
import { Directory } from '../../../src/bridge/admit/directory.ts'
import { labConfig } from '../../support/bridge-lab.ts'
import { numberConfig } from '../../support/configs.ts'

const config = labConfig()
const { listen } = config.sip

t.test('numbers are found in every spelling', async (t) => {
  const directory = new Directory(config, listen)
  for (const user of ['+441632960123', '441632960123', '+44 1632 960123']) {
    t.equal(directory.numberOf(user)?.name, 'support', user)
  }
  for (const user of ['', 'FR.441632960123', '1632960123', 'alice']) {
    t.equal(directory.numberOf(user), undefined, user)
  }
})

t.test('the side of a request', async (t) => {
  const directory = new Directory(config, listen)
  const side = (transport: string, receivedOn: string, sourceAddress = '203.0.113.1') =>
    directory.sideOf({ transport, receivedOn, sourceAddress })
  t.equal(side('tls', '10.0.0.5:5061'), 'whatsapp')
  t.equal(side('tls', '[2001:db8::1]:5061'), 'whatsapp')
  t.equal(side('udp', '10.0.0.5:5060', '198.51.100.7'), 'pbx')
  t.equal(side('udp', '10.0.0.5:5061'), 'pbx', 'the same port of another transport')
  t.equal(side('tls', '10.0.0.5:7000', '198.51.100.7'), 'whatsapp', 'by source')
  t.equal(side('tls', '10.0.0.5:7000', '10.0.0.9'), 'pbx')
  t.equal(side('tcp', '10.0.0.5:7000'), 'pbx')
})

t.test('the port WhatsApp reaches us at', async (t) => {
  const mapped = numberConfig({ calling: { sip: { port: 15061 } } })
  t.equal(new Directory(config, listen).publicPort(numberConfig()), 5061)
  t.equal(new Directory(config, listen).publicPort(mapped), 15061, 'mapped by a NAT')
  const chosen = { ...listen, whatsapp: { ...listen.whatsapp, port: 40001 } }
  const any = { ...config.sip, listen: { ...listen, whatsapp: { ...listen.whatsapp, port: 0 } } }
  const directory = new Directory({ ...config, sip: any }, chosen)
  t.equal(directory.publicPort(mapped), 40001, 'chosen by the system')
})
