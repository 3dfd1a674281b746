import t from 'tap'
import {
  answeredByPbx,
  answeredByWhatsApp,
  type BridgeLab,
  bare,
  bridgeLab,
  settle,
} from '../../support/bridge-lab.ts'
import { trunkConfig } from '../../support/configs.ts'
import type { FakeRequest } from '../../support/fake-sip-port.ts'

/** An INVITE of the PBX with Replaces. */
async function replace(
  lab: BridgeLab,
  replaces: string,
  options: Partial<FakeRequest> = {},
): Promise<FakeRequest> {
  const headers = { replaces, cseq: '1 INVITE', ...options.headers }
  const invite = lab.fromPbx({ body: 'takeover', ...options, headers })
  await settle()
  return invite
}

const tagIn = (dialogId: string) => dialogId.split(';from-tag=')[1]!
const callIn = (dialogId: string) => dialogId.split(';from-tag=')[0]!

/** Replaces for the PBX leg of an answered call, as the PBX sees it: our tag is its to-tag. */
async function answered(lab: BridgeLab, direction: 'user' | 'business') {
  if (direction === 'user') {
    const call = await answeredByPbx(lab)
    const { sent, pbx } = call
    return { ...call, replaces: `${callIn(pbx)};to-tag=${tagIn(pbx)};from-tag=${sent.theirTag}` }
  }
  const call = await answeredByWhatsApp(lab)
  const { invite, pbx } = call
  return { ...call, replaces: `${callIn(pbx)};from-tag=${tagIn(pbx)};to-tag=${invite.ourTag}` }
}

t.test('an INVITE with Replaces takes the place of the PBX leg', async (t) => {
  for (const direction of ['user', 'business'] as const) {
    const lab = await bridgeLab()
    const { pbx, whatsapp, replaces } = await answered(lab, direction)
    const invite = await replace(lab, replaces)
    t.match(invite.last, { status: 200, body: 'replace(takeover)' })
    t.same(lab.media.asked.slice(-2), ['replace', 'commit'])
    t.match(lab.port.last!.request, { method: 'BYE', dialogId: pbx })
    t.equal(lab.calls.size, 1, 'no call of its own')
    lab.inDialog('BYE', whatsapp)
    t.equal(lab.port.last!.request.dialogId, invite.madeDialog)
    await bare(t, lab)
  }
})

t.test('the PBX leaves the offer to us', async (t) => {
  const lab = await bridgeLab()
  const { pbx, replaces } = await answered(lab, 'user')
  const invite = await replace(lab, replaces, { body: '' })
  t.match(invite.last, { status: 200, body: 'replace()' })
  t.equal(lab.media.last.replacements, 1)
  t.same(lab.inDialog('BYE', pbx).statuses, [200], 'the old leg may go meanwhile')
  t.equal(lab.calls.size, 1)
  lab.inDialog('ACK', invite.madeDialog, { body: 'late', headers: { cseq: '1 ACK' } })
  await settle()
  t.equal(lab.media.asked.at(-1), 'commit')
  t.equal(lab.calls.size, 1)
  lab.inDialog('BYE', invite.madeDialog)
  await bare(t, lab)
})

t.test('no answer to our offer: the old leg goes on, if it is there', async (t) => {
  for (const old of ['there', 'gone'] as const) {
    for (const end of ['empty ACK', 'bad ACK', 'BYE', 'no ACK'] as const) {
      const lab = await bridgeLab()
      const { pbx, whatsapp, replaces } = await answered(lab, 'user')
      const invite = await replace(lab, replaces, { body: '' })
      if (old === 'gone') lab.inDialog('BYE', pbx)
      const leg = invite.madeDialog
      const headers = { cseq: '1 ACK' }
      if (end === 'empty ACK') lab.inDialog('ACK', leg, { headers })
      else if (end === 'bad ACK') lab.inDialog('ACK', leg, { headers, body: 'bad' })
      else lab.inDialog('BYE', leg, { local: end === 'no ACK' })
      await settle()
      const byes = lab.port.sent.filter(({ request }) => request.method === 'BYE')
      const legs = byes.map(({ request }) => request.dialogId)
      const own = end.endsWith('ACK') && end !== 'no ACK' ? [leg] : []
      t.same(legs, old === 'there' ? own : [...own, whatsapp], `${old}, ${end}`)
      if (old === 'gone') {
        t.equal((await bare(t, lab)).cause?.code, 'CALL_TRANSFER_FAILED')
        continue
      }
      t.equal(lab.calls.size, 1)
      lab.inDialog('BYE', pbx)
      await bare(t, lab)
    }
  }
})

t.test('what is refused', async (t) => {
  const trunks = [
    trunkConfig(),
    trunkConfig({ name: 'other', accept: { ...trunkConfig().accept, from: ['10.0.1.0/24'] } }),
  ]
  const lab = await bridgeLab({ trunks })
  const { pbx, whatsapp, replaces } = await answered(lab, 'user')
  const swapped = replaces
    .replace('to-tag', 'x')
    .replace('from-tag', 'to-tag')
    .replace('x', 'from-tag')
  const whatsappTag = `${callIn(whatsapp)};from-tag=${tagIn(whatsapp)};to-tag=us-${callIn(whatsapp)}`
  const table: [string, Partial<FakeRequest>, number, string][] = [
    ['nonsense', {}, 400, 'CALL_REPLACES_INVALID'],
    [`${replaces},${replaces}`, {}, 400, 'CALL_REPLACES_INVALID'],
    ['a@b;to-tag=1;from-tag=2', {}, 481, 'CALL_REPLACES_UNKNOWN'],
    [replaces.replace('them-', 'other-'), {}, 481, 'CALL_REPLACES_UNKNOWN'],
    [swapped, {}, 481, 'CALL_REPLACES_UNKNOWN'],
    [whatsappTag, {}, 481, 'CALL_REPLACES_UNKNOWN'],
    [replaces, { sourceAddress: '10.0.1.7' }, 403, 'CALL_REPLACES_FORBIDDEN'],
    [`${replaces};early-only`, {}, 486, 'CALL_REPLACES_ANSWERED'],
    [replaces, { headers: { require: 'foo' } }, 420, 'CALL_EXTENSION_UNSUPPORTED'],
    [replaces, { headers: { 'content-type': 'text/plain' } }, 415, 'CALL_BODY_UNSUPPORTED'],
    [replaces, { body: 'bad' }, 488, 'CALL_OFFER_MISSING'],
  ]
  for (const [value, options, status, code] of table) {
    const invite = await replace(lab, value, options)
    t.match(invite.last, { status, headers: { Warning: new RegExp(code) } }, code)
  }
  t.equal(lab.calls.size, 1)
  const open = lab.media.hold()
  const first = await replace(lab, replaces)
  t.equal((await replace(lab, replaces)).last?.status, 491)
  t.equal(lab.inDialog('REFER', pbx, { headers: { 'refer-to': '<sip:1@h>' } }).last?.status, 491)
  open()
  await settle()
  t.equal(first.last?.status, 200)
  t.equal((await replace(lab, replaces)).last?.status, 481, 'that dialog is gone')
  lab.inDialog('BYE', first.madeDialog)
  await bare(t, lab)
})

t.test('CANCEL, and the end of the call, while it is being taken', async (t) => {
  for (const event of ['cancel', 'crossed', 'whatsapp', 'old'] as const) {
    const lab = await bridgeLab()
    const { pbx, whatsapp, replaces } = await answered(lab, 'business')
    const open = lab.media.hold()
    const invite = await replace(lab, replaces)
    t.same(invite.statuses, [])
    if (event === 'cancel') invite.cancel()
    else if (event === 'crossed') invite.gone = true
    else lab.inDialog('BYE', event === 'old' ? pbx : whatsapp)
    open()
    await settle()
    if (event === 'whatsapp') {
      t.match(invite.last, { status: 603, headers: { Warning: /CALL_REPLACES_OVER/ } })
    } else {
      t.equal(lab.calls.size, 1, event)
      t.same(invite.statuses, event === 'cancel' ? [] : [200])
      lab.inDialog('BYE', event === 'old' ? invite.madeDialog : pbx)
    }
    await bare(t, lab)
  }
})

t.test('a call that drains may still be taken over', async (t) => {
  const lab = await bridgeLab()
  const { replaces } = await answered(lab, 'user')
  void lab.bridge.drain(60_000)
  t.equal((await replace(lab, replaces)).last?.status, 200)
  await lab.bridge.stop()
})
