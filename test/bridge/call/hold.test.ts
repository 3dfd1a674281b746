import t from 'tap'
import { dtmfRelay } from '../../../src/bridge/call/dtmf.ts'
import { holdOf } from '../../../src/bridge/call/hold.ts'
import { definitionOf } from '../../../src/shared/errors/index.ts'
import { answeredByPbx, bare, bridgeLab, labConfig, settle } from '../../support/bridge-lab.ts'
import { trunkConfig } from '../../support/configs.ts'

const sdp = (lines: string, session = 'c=IN IP4 10.0.0.9') =>
  `v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\n${session}\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 111\r\n${lines}\r\n`
const SENDONLY = sdp('a=sendonly')
const INACTIVE = sdp('a=inactive')
const RESUME = sdp('a=sendrecv')

t.test('what holds', async (t) => {
  const table: [string, string, string | undefined][] = [
    ['inactive', INACTIVE, 'silent'],
    ['0.0.0.0 for the stream', sdp('c=IN IP4 0.0.0.0'), 'silent'],
    ['0.0.0.0 for the session', sdp('a=sendrecv', 'c=IN IP4 0.0.0.0'), 'silent'],
    ['::', sdp('c=IN IP6 ::'), 'silent'],
    ['sendonly', SENDONLY, 'perhaps music'],
    ['sendonly of the session', sdp('a=x', 'c=IN IP4 10.0.0.9\r\na=sendonly'), 'perhaps music'],
    ['sendrecv over the session', sdp('a=sendrecv', 'c=IN IP4 10.0.0.9\r\na=inactive'), undefined],
    ['recvonly', sdp('a=recvonly'), undefined],
    ['nothing', sdp('a=x'), undefined],
    ['another stream', `${RESUME}m=video 0 RTP/AVP 96\r\na=inactive\r\n`, undefined],
    ['no SDP', 'x', undefined],
  ]
  for (const [what, text, expected] of table) t.equal(holdOf(text), expected, what)
})

async function withMusic() {
  const lab = await bridgeLab({ media: { ...labConfig().media, holdMusic: '/moh.wav' } })
  const call = await answeredByPbx(lab)
  const plays = () => lab.media.asked.filter((what) => what.startsWith('play'))
  const reinvite = async (body: string, cseq = 2) => {
    const request = lab.inDialog('INVITE', call.pbx, { body, headers: { cseq: `${cseq} INVITE` } })
    await settle()
    return request
  }
  return { ...lab, ...call, lab, plays, reinvite }
}

t.test('music from the moment the PBX says it will not send', async (t) => {
  const lab = await withMusic()
  const music = 'play whatsapp /moh.wav loop'
  t.equal((await lab.reinvite(INACTIVE)).last?.status, 200)
  t.same(lab.plays(), [music])
  await lab.reinvite(INACTIVE)
  t.same(lab.plays(), [music], 'it goes on')
  await lab.reinvite(RESUME)
  t.same(lab.plays(), [music, 'play whatsapp nothing'])
  lab.inDialog('BYE', lab.pbx)
  await bare(t, lab.lab)
})

t.test('music when a PBX that might send is silent', async (t) => {
  const lab = await withMusic()
  const music = 'play whatsapp /moh.wav loop'
  lab.media.last.emit({ type: 'silence', leg: 'pbx', seconds: 1 })
  t.same(lab.plays(), [], 'a pause is no hold')
  await lab.reinvite(SENDONLY)
  t.same(lab.plays(), [])
  lab.media.last.emit({ type: 'silence', leg: 'whatsapp', seconds: 1 })
  t.same(lab.plays(), [])
  lab.media.last.emit({ type: 'silence', leg: 'pbx', seconds: 1 })
  t.same(lab.plays(), [music])
  lab.media.last.emit({ type: 'media-up', leg: 'pbx', afterMs: 1500 })
  t.same(lab.plays(), [music, 'play whatsapp nothing'], 'the PBX has music of its own')
  lab.media.last.emit({ type: 'silence', leg: 'pbx', seconds: 1 })
  const { owner, fix } = definitionOf('MEDIA_SILENT_PBX')
  const silent = {
    code: 'MEDIA_SILENT_PBX',
    side: 'pbx',
    owner,
    fix,
    detail: '',
    since: 0,
  } as const
  lab.media.last.emit({ type: 'verdict', verdict: silent, cleared: false })
  t.equal(lab.plays().length, 3)
  lab.media.last.emit({ type: 'sound', leg: 'whatsapp' })
  t.equal(lab.plays().length, 3)
  lab.media.last.emit({ type: 'sound', leg: 'pbx' })
  t.equal(lab.plays().at(-1), 'play whatsapp nothing', 'its music has come back')
  const [call] = lab.calls.active()
  t.same(call!.verdicts, [], 'a hold without music is no trouble')
  lab.media.last.emit({ type: 'silence', leg: 'pbx', seconds: 1 })
  await lab.reinvite('bad')
  t.equal(lab.plays().length, 5, 'a refused offer changes nothing')
  await lab.reinvite(RESUME)
  t.equal(lab.plays().at(-1), 'play whatsapp nothing')
  lab.media.last.emit({ type: 'verdict', verdict: silent, cleared: false })
  t.match(call!.verdicts, [{ code: 'MEDIA_SILENT_PBX' }], 'silence after the hold is')
})

t.test('a file that cannot be played does no harm', async (t) => {
  const lab = await bridgeLab({ media: { ...labConfig().media, holdMusic: 'missing' } })
  const { pbx } = await answeredByPbx(lab)
  lab.inDialog('INVITE', pbx, { body: INACTIVE })
  await settle()
  t.equal(lab.calls.size, 1)
  lab.inDialog('BYE', pbx)
  await bare(t, lab)
})

t.test('keypresses go to a trunk that takes INFO', async (t) => {
  const info = await bridgeLab({
    trunks: [trunkConfig({ media: { ...trunkConfig().media, dtmf: 'info' } })],
  })
  const { pbx } = await answeredByPbx(info)
  info.media.last.emit({ type: 'dtmf', leg: 'whatsapp', digit: '#', durationMs: 159.6 })
  t.match(info.port.last?.request, {
    method: 'INFO',
    dialogId: pbx,
    headers: { 'Content-Type': 'application/dtmf-relay' },
    body: 'Signal=#\r\nDuration=160\r\n',
  })
  info.port.last!.respond(415, 'Unsupported Media Type')
  info.media.last.emit({ type: 'dtmf', leg: 'pbx', digit: '1', durationMs: 100 })
  t.equal(info.port.methods.filter((method) => method === 'INFO').length, 1)
  const own = info.inDialog('INFO', pbx, {
    headers: { 'content-type': 'application/dtmf-relay' },
    body: 'Signal=5\r\nDuration=100\r\n',
  })
  t.same(own.statuses, [200])
  t.equal(dtmfRelay('flash', 10), 'Signal=!\r\nDuration=40\r\n')
  info.inDialog('BYE', pbx)
  await bare(t, info)

  const packets = await bridgeLab()
  await answeredByPbx(packets)
  packets.media.last.emit({ type: 'dtmf', leg: 'whatsapp', digit: '1', durationMs: 100 })
  t.same(packets.port.methods, ['INVITE'], 'the relay has sent RFC 4733 events')
})
