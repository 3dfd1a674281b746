import t from 'tap'
import { metaBye, userTalk } from './support/calls.ts'
import { withLab } from './support/lab.ts'
import { newCertificate, REQUEST } from './support/reload.ts'

t.test('a certificate elsewhere is in use after the reload', (t) =>
  withLab(t, {}, async (lab) => {
    const serial = async (): Promise<string> => {
      const line = await lab.wa.dial(lab.at.whatsapp)
      const { serialNumber } = line.socket.getPeerCertificate()
      line.socket.destroy()
      return serialNumber
    }
    const before = await serial()
    const talk = await userTalk(lab)
    lab.rewrite((config) => {
      config.sip.tls = newCertificate(lab, 'renewed')
      config.sip.external_address = '203.0.113.77'
    })
    const result = await REQUEST(lab)
    t.same(result.applied, ['sip.external_address', 'sip.tls'])
    t.not(await serial(), before)
    const health = await (await lab.http('/healthz')).text()
    t.match(health, '203.0.113.77', 'the address is advertised')
    await metaBye(lab, talk)
  }),
)

t.test('addresses and the log of calls to come', (t) =>
  withLab(
    t,
    {
      edit: (config) => {
        config.media = { relay: 'embedded', listen: '127.0.0.1', ports: '30000-30399' }
        config.limits = { calls: 50 }
      },
    },
    async (lab) => {
      const first = await userTalk(lab)
      t.match(first.answer.body, /^c=IN IP4 127\.0\.0\.1\r?$/m)
      lab.rewrite((config) => {
        config.sip.external_address = '203.0.113.77'
        config.media.external_address = '203.0.113.78'
        config.log.numbers = 'masked'
      })
      const { applied } = await REQUEST(lab)
      t.same(applied, ['sip.external_address', 'media.external_address', 'log.numbers'])
      lab.up.stdout = ''
      const second = await userTalk(lab)
      t.match(second.answer.body, /^c=IN IP4 203\.0\.113\.78\r?$/m, 'towards WhatsApp')
      t.match(second.arrived.get('Contact'), '@203.0.113.77:', 'in Contact')
      await lab.up.printed(/"msg":"call started"/)
      t.notMatch(lab.up.stdout, /33199001234/)
      t.match(lab.up.stdout, /\*34"/)
      await metaBye(lab, first)
      await metaBye(lab, second)
    },
  ),
)
