import t from 'tap'
import {
  answeredByPbx,
  answeredByWhatsApp,
  type BridgeLab,
  bridgeLab,
  settle,
} from '../support/bridge-lab.ts'

/** Call-IDs the bridge told of, by leg, in their order. */
function watch({ calls }: BridgeLab): string[] {
  const told: string[] = []
  calls.subscribe({ joined: (_call, leg, callId) => told.push(`${leg} ${callId}`) })
  return told
}

const callIds = ({ port }: BridgeLab): string[] => [
  ...new Set(
    port.sent
      .filter(({ request }) => request.method === 'INVITE')
      .map((sent) => String(sent.header('call-id'))),
  ),
]

t.test('a user-initiated call, and the leg a REFER brings', async (t) => {
  const lab = await bridgeLab()
  const told = watch(lab)
  const { invite, pbx } = await answeredByPbx(lab)
  lab.inDialog('REFER', pbx, { headers: { 'refer-to': '<sip:202@10.0.0.9>', cseq: '5 REFER' } })
  await settle()
  const [first, second] = callIds(lab)
  t.not(first, second)
  t.same(told, [`whatsapp ${invite.callId}`, `pbx ${first}`, `pbx ${second}`])
  t.match([...lab.calls.active()], [{ callIds: { whatsapp: invite.callId, pbx: second } }])
})

t.test('a business-initiated call, and the leg an INVITE with Replaces brings', async (t) => {
  const lab = await bridgeLab()
  const told = watch(lab)
  const { invite, pbx } = await answeredByWhatsApp(lab)
  const [callId, tag] = pbx.split(';from-tag=')
  const replaces = `${callId};from-tag=${tag};to-tag=${invite.ourTag}`
  const next = lab.fromPbx({ body: 'takeover', headers: { replaces, cseq: '1 INVITE' } })
  await settle()
  t.same(told, [`pbx ${invite.callId}`, `whatsapp ${callIds(lab)[0]}`, `pbx ${next.callId}`])
})

t.test('every target that is tried', async (t) => {
  const lab = await bridgeLab()
  const told = watch(lab)
  lab.fromWhatsApp()
  await settle()
  t.equal(told.length, 2, 'before its first message leaves')
  lab.port.last!.respond(486, 'Busy Here')
  await settle()
  t.same(
    told.slice(1),
    callIds(lab).map((callId) => `pbx ${callId}`),
  )
})
