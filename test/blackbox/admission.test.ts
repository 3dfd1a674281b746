import t, { type Test } from 'tap'
import {
  account,
  businessTalk,
  MetaInvite as Invite,
  type MetaInvite,
  metaBye,
  pbxBye,
  pbxInvite,
  userTalk,
} from './support/calls.ts'
import { ackFailure } from './support/dialog.ts'
import { answerDigest, digestParams } from './support/digest.ts'
import { BUSINESS, DOMAIN, hangUpAll, type Lab, SECRETS, withLab } from './support/lab.ts'
import { Sip } from './support/message.ts'

/** Sends an INVITE of WhatsApp's on a new connection; the final answer, acknowledged. */
async function attempt(lab: Lab, meta: MetaInvite, authorization?: string): Promise<Sip> {
  const line = await lab.wa.dial(lab.at.whatsapp)
  const invite = new Sip(meta.text(authorization))
  line.send(invite.raw)
  const { sip } = await lab.wa.inbox.take({
    status: (status) => status >= 200,
    callId: meta.callId,
    where: ({ cseq }) => cseq === invite.cseq,
  })
  line.send(ackFailure(invite, sip))
  meta.cseq++
  return sip
}

/** The refusal leaves nothing behind: the next call works. */
async function nextCallWorks(t: Test, lab: Lab): Promise<void> {
  const talk = await userTalk(lab)
  await metaBye(lab, talk)
  t.pass('the next call works')
}

const challengeOf = (sip: Sip): string => sip.get('Proxy-Authenticate')

t.test('WhatsApp has to know the password', (t) =>
  withLab(t, {}, async (lab) => {
    const wrong: [string, Parameters<typeof account>[0], number][] = [
      ['another password', { password: 'guess' }, 403],
      ['another user', { username: '441632960999' }, 403],
      ['another method', { method: 'REGISTER' }, 403],
    ]
    for (const [what, change, status] of wrong) {
      const meta = new Invite()
      const challenge = challengeOf(await attempt(lab, meta))
      const refused = await attempt(lab, meta, answerDigest(challenge, account(change)))
      t.equal(refused.status, status, what)
      t.equal(refused.get('Warning'), '', 'a scanner learns nothing')
    }
    const garbage = [
      'Digest',
      'Digest username="441632960123"',
      'Basic NDQxNjMyOTYwMTIzOng=',
      `Digest username="441632960123", realm="${DOMAIN}", nonce="", uri="", response=""`,
      `Digest username="441632960123", realm="other", nonce="x", uri="sip:x", response="0"`,
      'Digest realm="'.padEnd(8000, 'x'),
      'Digest ,,,,===""""',
    ]
    for (const value of garbage) {
      const meta = new Invite()
      await attempt(lab, meta)
      const sip = await attempt(lab, meta, value)
      t.ok([400, 403, 407].includes(sip.status), `${value.slice(0, 30)}: ${sip.status}`)
    }
    await nextCallWorks(t, lab)
    t.equal(lab.pbx.inbox.count({ method: 'INVITE' }), 1, 'the PBX heard of the one good call')
  }),
)

t.test('a nonce is good once, or again with a higher count', (t) =>
  withLab(t, {}, async (lab) => {
    const talk = await userTalk(lab)
    const challenge = challengeOf(talk.challenge.sip)
    await metaBye(lab, talk)

    const replay = new Invite()
    const stolen = talk.invite.get('Proxy-Authorization')
    const refused = await attempt(lab, replay, stolen)
    t.equal(refused.status, 407, 'a replay is challenged')
    const again = digestParams(challengeOf(refused))
    t.equal(again['stale'], 'true')
    t.not(again['nonce'], digestParams(challenge)['nonce'])

    const counted = new Invite()
    const line = await lab.wa.dial(lab.at.whatsapp)
    line.send(counted.text(answerDigest(challenge, account({ nc: '00000002', cnonce: 'other' }))))
    const invite = await lab.pbx.inbox.take({ method: 'INVITE' })
    t.match(invite.sip.get('X-WhatsApp-Wacid'), counted.wacid, 'nc=2 with the same nonce is in')
    const bad = new Invite()
    t.equal(
      (await attempt(lab, bad, answerDigest(challenge, account({ nc: '00000001' })))).status,
      407,
    )
    const foreign = new Invite()
    const own = challenge.replace(/nonce="[^"]*"/, 'nonce="made.up.bythem"')
    t.equal((await attempt(lab, foreign, answerDigest(own, account()))).status, 407)
    const old = new Invite()
    const aged = challenge.replace(
      /nonce="[^.]*\./,
      `nonce="${(Date.now() - 3_600_000).toString(36)}.`,
    )
    t.equal((await attempt(lab, old, answerDigest(aged, account()))).status, 407, 'not back-dated')
    line.socket.destroy()
    await hangUpAll(lab)
    await nextCallWorks(t, lab)
  }),
)

t.test('a number that is not ours, a digest without qop, other spellings', (t) =>
  withLab(t, {}, async (lab) => {
    const unknown = await attempt(lab, new Invite({ to: '+441632960999' }))
    t.equal(unknown.status, 404)
    const meta = new Invite()
    const challenge = challengeOf(await attempt(lab, meta))
    const plain = challenge.replace(/,\s*qop="auth"/, '')
    const line = await lab.wa.dial(lab.at.whatsapp)
    line.send(meta.text(answerDigest(plain, account())))
    const first = await lab.pbx.inbox.take({ method: 'INVITE' })
    t.ok(first, 'RFC 2069 form')
    const other = new Invite()
    const second = challengeOf(await attempt(lab, other))
    const uri = `sip:${BUSINESS}@${DOMAIN};transport=tls`
    line.send(other.text(answerDigest(second, account({ username: BUSINESS, uri }))))
    t.ok(await lab.pbx.inbox.take({ method: 'INVITE' }), 'a plus in the user name, the whole URI')
    line.socket.destroy()
    await hangUpAll(lab)
    await nextCallWorks(t, lab)
  }),
)

t.test('whatsapp.sources: others are refused before anything else', (t) =>
  withLab(
    t,
    { edit: (config) => (config.whatsapp.sources = ['198.51.100.0/24', '2001:db8::/32']) },
    async (lab) => {
      const sip = await attempt(lab, new Invite())
      t.equal(sip.status, 403)
      t.equal(challengeOf(sip), '')
      const talk = await businessTalk(lab)
      await pbxBye(lab, talk)
    },
  ),
)

/** An INVITE of the PBX's that is refused; the final answer. */
async function refusedPbx(lab: Lab, invite: Sip): Promise<Sip> {
  lab.pbx.send(lab.at.udp, invite.raw)
  const { sip } = await lab.pbx.inbox.take({
    status: (status) => status >= 200,
    callId: invite.callId,
    where: ({ cseq }) => cseq === invite.cseq,
  })
  lab.pbx.send(lab.at.udp, ackFailure(invite, sip))
  return sip
}

t.test('a PBX from elsewhere, without an account', (t) =>
  withLab(
    t,
    { edit: (config) => (config.trunks[0].accept = { from: ['10.9.0.0/24'] }) },
    async (lab) => {
      const sip = await refusedPbx(lab, pbxInvite(lab))
      t.equal(sip.status, 403)
      t.match(sip.get('Warning'), /^399 \S+ "CALL_PBX_SOURCE_REFUSED: /)
      t.match(sip.get('Reason'), /^Q\.850;cause=\d+;text="/)
      t.equal(lab.wa.inbox.log.length, 0)
      const talk = await userTalk(lab)
      await metaBye(lab, talk)
    },
  ),
)

t.test('a PBX from elsewhere, with an account', (t) =>
  withLab(
    t,
    {
      edit: (config) => {
        config.trunks[0].accept = {
          from: ['10.9.0.0/24'],
          username: 'pbx',
          password: SECRETS.pbxIn,
        }
      },
    },
    async (lab) => {
      const uri = (invite: Sip): string => invite.uri
      const first = pbxInvite(lab)
      const asked = await refusedPbx(lab, first)
      t.equal(asked.status, 407)
      const challenge = challengeOf(asked)
      const use = (change: object) => ({
        username: 'pbx',
        password: SECRETS.pbxIn,
        method: 'INVITE',
        uri: uri(first),
        ...change,
      })
      const { callId } = first
      for (const [cseq, change] of [
        [2, { password: 'no' }],
        [3, { username: 'root' }],
      ] as const) {
        const value = answerDigest(challenge, use(change))
        const headers: [string, string][] = [['Proxy-Authorization', value]]
        const sip = await refusedPbx(lab, pbxInvite(lab, { callId, cseq, headers }))
        t.equal(sip.status, 403)
        t.match(sip.get('Warning'), /CALL_PBX_CHALLENGE_FAILED/)
      }
      const good = answerDigest(challenge, use({}))
      const talk = await businessTalk(lab, { headers: [['Proxy-Authorization', good]], cseq: 4 })
      t.notMatch(talk.arrived.raw, /username="pbx"/)
      await pbxBye(lab, talk)
      const replay = pbxInvite(lab, { headers: [['Proxy-Authorization', good]] })
      const again = await refusedPbx(lab, replay)
      t.equal(again.status, 407)
      t.match(challengeOf(again), /stale=true/)
      await nextCallWorks(t, lab)
    },
  ),
)
