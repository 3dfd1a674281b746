import t from 'tap'
import { recordSchema } from '../../src/records/index.ts'
import {
  answeredByPbx,
  answeredByWhatsApp,
  bare,
  bridgeLab,
  settle,
} from '../support/bridge-lab.ts'
import { numberConfig, trunkConfig } from '../support/configs.ts'

const target = (host: string) => ({
  uri: `sip:${host}:5060;transport=udp`,
  host,
  port: 5060,
  transport: 'udp' as const,
  weight: 1,
})

t.test('a user-initiated call: both Call-IDs, the target that answered, who hung up', async (t) => {
  const trunks = [trunkConfig({ targets: [target('10.0.0.9'), target('10.0.0.10')] })]
  const lab = await bridgeLab({ trunks })
  const invite = lab.fromWhatsApp()
  await settle()
  const first = lab.port.last!
  t.match(lab.calls.record(lab.calls.active().next().value!.id), {
    target: 'sip:10.0.0.9:5060;transport=udp',
    callIds: { whatsapp: 'outgoing:wacid.1', pbx: first.header('call-id') },
  })
  first.respond(503, 'Service Unavailable')
  await settle()
  const second = lab.port.last!
  second.respond(200, 'OK', { body: 'pbx-answer' })
  await settle()
  lab.inDialog('ACK', invite.madeDialog)
  lab.clock.advance(12_400)
  lab.inDialog('BYE', invite.madeDialog, { headers: { 'x-wa-meta-call-duration': '13' } })
  const record = await bare(t, lab)
  t.match(record, {
    version: 1,
    target: 'sip:10.0.0.10:5060;transport=udp',
    callIds: { whatsapp: 'outgoing:wacid.1', pbx: second.header('call-id') },
    country: 'FR',
    talkMs: 12_400,
    talkSeconds: 12,
    billing: { pulses: 0, seconds: 13, basis: 'bye' },
    endedBy: 'caller',
  })
  t.not(first.header('call-id'), second.header('call-id'))
  t.same(recordSchema.parse(JSON.parse(JSON.stringify(record))), JSON.parse(JSON.stringify(record)))
})

t.test('a business-initiated call: Call-IDs, permission, pulses', async (t) => {
  const asked: string[] = []
  const lab = await bridgeLab({}, undefined, {
    admit: () => undefined,
    permission: (number, trunk, consumer) => {
      asked.push(`${number.name} ${trunk.name} ${consumer}`)
      return { status: 'temporary', expiresAt: 5 }
    },
  })
  const { sent, pbx } = await answeredByWhatsApp(lab)
  lab.clock.advance(12_400)
  lab.inDialog('BYE', pbx)
  t.match(await bare(t, lab), {
    target: undefined,
    callIds: { whatsapp: sent.header('call-id'), pbx: 'pbx-1' },
    permission: { status: 'temporary', expiresAt: 5 },
    billing: { pulses: 3, seconds: 12.4, basis: 'causeway' },
    endedBy: 'caller',
  })
  t.same(asked, ['support main +33199001234'])
})

t.test('a call that was refused before WhatsApp was asked', async (t) => {
  const { CausewayError } = await import('../../src/shared/errors/index.ts')
  const lab = await bridgeLab({}, undefined, {
    admit: () => new CausewayError('CALL_WHATSAPP_NO_PERMISSION'),
    permission: () => ({ status: 'no_permission', expiresAt: undefined }),
  })
  lab.fromPbx()
  t.match(await bare(t, lab), {
    permission: { status: 'no_permission' },
    callIds: { whatsapp: undefined, pbx: 'pbx-1' },
    talkMs: undefined,
    billing: { pulses: 0, seconds: 0 },
    cause: { owner: 'user' },
    endedBy: 'causeway',
  })
})

t.test('after a transfer the record has the Call-ID of the new leg', async (t) => {
  const lab = await bridgeLab({ numbers: [numberConfig()] })
  const { pbx } = await answeredByPbx(lab)
  lab.inDialog('REFER', pbx, { headers: { 'refer-to': '<sip:202@10.0.0.9>', cseq: '5 REFER' } })
  await settle()
  const invite = lab.port.sent.findLast(({ request }) => request.method === 'INVITE')!
  invite.respond(200, 'OK', { body: 'new-answer' })
  await settle()
  lab.inDialog('BYE', invite.madeDialog)
  t.match(await bare(t, lab), {
    callIds: { pbx: invite.header('call-id') },
    endedBy: 'callee',
  })
})
