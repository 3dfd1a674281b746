import t from 'tap'
import type { Verdict } from '../../../src/media/index.ts'
import { CausewayError } from '../../../src/shared/errors/index.ts'
import {
  answeredByPbx,
  answeredByWhatsApp,
  bare,
  bridgeLab,
  settle,
} from '../../support/bridge-lab.ts'
import { numberConfig, overflowTo, trunkConfig } from '../../support/configs.ts'
import { emptyReport } from '../../support/fake-media.ts'

const LOST = new CausewayError('MEDIA_RELAY_LOST', { detail: 'worker 1' })
const VERDICT: Verdict = {
  code: 'MEDIA_SILENT_PBX',
  side: 'pbx',
  owner: 'pbx',
  detail: 'no packet from 10.0.0.9:4000',
  fix: 'x',
  since: 0,
}

t.test('the relay loses an answered call', async (t) => {
  const lab = await bridgeLab()
  const { pbx, whatsapp } = await answeredByPbx(lab)
  lab.media.last.emit({ type: 'ended', error: LOST })
  t.match(
    lab.port.sent.slice(1).map(({ request }) => request),
    [
      { method: 'BYE', dialogId: whatsapp, headers: {} },
      {
        method: 'BYE',
        dialogId: pbx,
        headers: { Reason: /^Q\.850;cause=41;text="the media relay/ },
      },
    ],
  )
  t.match((await bare(t, lab)).cause, { code: 'MEDIA_RELAY_LOST', result: 'failed' })
})

t.test('the relay loses a call that is not answered', async (t) => {
  const lab = await bridgeLab()
  const user = lab.fromWhatsApp()
  await settle()
  const out = lab.port.last!
  lab.media.last.emit({ type: 'ended', error: LOST })
  t.match(user.last, { status: 503, headers: { 'Retry-After': '10' } })
  t.ok(out.cancelled)
  await bare(t, lab)
  const business = lab.fromPbx()
  await settle()
  lab.media.last.emit({ type: 'ended', error: LOST })
  t.match(business.last, { status: 503, headers: { Warning: /MEDIA_RELAY_LOST: worker 1/ } })
  t.ok(lab.port.last!.cancelled)
  await bare(t, lab)
})

t.test('no room for media refuses the call on the leg it came from', async (t) => {
  for (const what of ['allocate', 'offer whatsapp', 'answer pbx']) {
    const lab = await bridgeLab()
    lab.media.refuse[what] = 'MEDIA_PORTS_EXHAUSTED'
    const invite = lab.fromWhatsApp()
    await settle()
    lab.port.last?.respond(200, 'OK', { body: 'a' })
    await settle()
    t.match(invite.last, { status: 503, headers: { 'Retry-After': '10' } }, what)
    t.same(lab.port.methods, what === 'answer pbx' ? ['INVITE', 'BYE'] : [])
    t.equal((await bare(t, lab)).cause?.code, 'MEDIA_PORTS_EXHAUSTED')
  }
  for (const what of ['allocate', 'offer pbx', 'answer whatsapp']) {
    const lab = await bridgeLab()
    lab.media.refuse[what] = 'MEDIA_PORTS_EXHAUSTED'
    const invite = lab.fromPbx()
    await settle()
    lab.port.last?.respond(200, 'OK', { body: 'a' })
    await settle()
    t.match(invite.last, { status: 503, headers: { Warning: /MEDIA_PORTS_EXHAUSTED/ } }, what)
    t.same(lab.port.methods, what === 'answer whatsapp' ? ['INVITE', 'BYE'] : [])
    await bare(t, lab)
  }
  const overflow = await bridgeLab({
    numbers: [
      numberConfig({ inbound: { ...numberConfig().inbound!, overflow: overflowTo('backup') } }),
    ],
    trunks: [trunkConfig(), trunkConfig({ name: 'backup' })],
  })
  overflow.media.refuse['retarget'] = 'MEDIA_TRANSCODING_LIMIT'
  const invite = overflow.fromWhatsApp()
  await settle()
  overflow.port.last!.respond(500, 'x')
  await settle()
  t.same(invite.statuses, [488])
  await bare(t, overflow)
})

t.test('verdicts are logged once and kept', async (t) => {
  const lab = await bridgeLab()
  const { pbx } = await answeredByPbx(lab)
  const call = [...lab.calls.active()][0]!
  const tell = (verdict: Verdict, cleared: boolean) =>
    lab.media.last.emit({ type: 'verdict', verdict, cleared })
  tell(VERDICT, true)
  t.same(call.verdicts, [], 'nothing was wrong')
  tell(VERDICT, false)
  tell(VERDICT, false)
  tell({ ...VERDICT, side: 'whatsapp', code: 'MEDIA_SILENT_WHATSAPP' }, false)
  lab.clock.advance(3000)
  tell(VERDICT, true)
  t.match(call.verdicts, [
    { code: 'MEDIA_SILENT_PBX', clearedAt: lab.clock.now() },
    { code: 'MEDIA_SILENT_WHATSAPP', clearedAt: undefined },
  ])
  const warned = lab.lines.filter(({ level }) => level === 40)
  t.match(warned, [
    { code: 'MEDIA_SILENT_PBX', owner: 'pbx', fix: 'x', call: call.id },
    { code: 'MEDIA_SILENT_WHATSAPP' },
  ])
  t.equal(warned.length, 2)
  lab.inDialog('BYE', pbx)
  t.equal((await bare(t, lab)).verdicts.length, 2)
})

t.test('figures of a call while it lasts, and the last ones on its record', async (t) => {
  const lab = await bridgeLab()
  const reported: string[] = []
  lab.calls.subscribe({
    ended: ({ id, report }) => reported.push(`${id} ${report?.at}`),
    reported: ({ id, report }) => reported.push(`${id} ${report?.at}`),
  })
  const { pbx } = await answeredByWhatsApp(lab)
  const { id } = [...lab.calls.active()][0]!
  t.equal(await lab.bridge.mediaReport(id), undefined)
  lab.media.report = emptyReport(1)
  t.equal((await lab.bridge.mediaReport(id))?.at, 1)
  t.equal(await lab.bridge.mediaReport('unknown'), undefined)
  lab.media.report = emptyReport(2)
  lab.inDialog('BYE', pbx)
  t.equal(lab.calls.record(id)?.report, undefined, 'not yet')
  t.equal(lab.bridge.status().held.releasing, 1)
  const record = await bare(t, lab)
  t.equal(record.report?.at, 2)
  t.equal((await lab.bridge.mediaReport(id))?.at, 2)
  t.same(reported, [`${id} undefined`, `${id} 2`])
  lab.media.sessions[0]!.emit({ type: 'ended', error: LOST })
  t.equal(lab.calls.record(id)?.cause?.code, 'NORMAL', 'nothing is heard of it any more')
})

t.test('a bridge that stops waits for the last figures', async (t) => {
  const lab = await bridgeLab()
  await answeredByPbx(lab)
  lab.media.report = emptyReport(3)
  await lab.bridge.stop()
  t.equal(lab.calls.ended()[0]?.report?.at, 3)
})
