import t from 'tap'
import {
  businessTalk,
  challenged,
  metaAnswer,
  metaChallenge,
  pbxBye,
  pbxInvite,
  pbxVia,
} from './support/calls.ts'
import { ackFailure, Dialog } from './support/dialog.ts'
import { digestParams, verifyDigest } from './support/digest.ts'
import type { Received } from './support/inbox.ts'
import { type Lab, NUMBER_ID, SECRETS, withLab } from './support/lab.ts'
import { fresh, response, type Sip } from './support/message.ts'

const authorization = (sip: Sip): Record<string, string> =>
  digestParams(sip.get('Proxy-Authorization'))

/** Asks again; the INVITE that follows, if any. */
async function askAgain(lab: Lab, invite: Received, value: string): Promise<Received> {
  return await challenged(lab, invite, [value])
}

/** WhatsApp answers, and the PBX hangs up at once. */
async function finish(lab: Lab, invite: Sip, arrived: Received): Promise<void> {
  const wa = metaAnswer(arrived)
  await lab.wa.inbox.take({ method: 'ACK', callId: arrived.sip.callId })
  const { sip: answer } = await lab.pbx.inbox.take({ status: 200, callId: invite.callId })
  const pbx = Dialog.caller(invite, answer, pbxVia(lab))
  const sendPbx = (text: string): void => lab.pbx.send(lab.at.udp, text)
  sendPbx(pbx.ack())
  await pbxBye(lab, { wa, pbx, answer, arrived: arrived.sip, sendPbx, sendWa: () => {} })
}

/** A call of the PBX's has begun; the first INVITE WhatsApp gets of it. */
async function begin(lab: Lab): Promise<{ invite: Sip; first: Received }> {
  const invite = pbxInvite(lab)
  lab.pbx.send(lab.at.udp, invite.raw)
  return { invite, first: await lab.wa.inbox.take({ method: 'INVITE' }) }
}

const challenges: [string, string[], string | undefined][] = [
  ['MD5', [metaChallenge('MD5')], 'MD5'],
  ['SHA-256', [metaChallenge('SHA-256')], 'SHA-256'],
  ['no algorithm', [metaChallenge('')], undefined],
  ['both, MD5 first', [metaChallenge('MD5'), metaChallenge('SHA-256')], 'SHA-256'],
  ['both, SHA-256 first', [metaChallenge('SHA-256'), metaChallenge('MD5')], 'SHA-256'],
  ['both in one header', [`${metaChallenge('MD5')}, ${metaChallenge('SHA-256')}`], 'SHA-256'],
  ['SHA-512-256', [metaChallenge('SHA-512-256')], 'SHA-512-256'],
  ['an unknown one beside MD5', [metaChallenge('BLAKE3'), metaChallenge('MD5')], 'MD5'],
  ['lower case', [metaChallenge('sha-256')], 'SHA-256'],
  ['another scheme beside it', ['Bearer realm="x"', metaChallenge('MD5')], 'MD5'],
]

t.test('every challenge that can be answered is, with the strongest algorithm', (t) =>
  withLab(t, {}, async (lab) => {
    for (const [what, values, algorithm] of challenges) {
      const { invite, first } = await begin(lab)
      const arrived = await challenged(lab, first, values)
      const value = arrived.sip.get('Proxy-Authorization')
      t.equal(arrived.sip.all('Proxy-Authorization').length, 1)
      t.equal(digestParams(value)['algorithm'], algorithm, what)
      t.ok(verifyDigest(value, 'INVITE', SECRETS.sip), what)
      t.ok(values.some((one) => one.includes(`nonce="${digestParams(value)['nonce']}"`)))
      await finish(lab, invite, arrived)
    }
  }),
)

t.test('a nonce is used again with a growing count', (t) =>
  withLab(t, {}, async (lab) => {
    const nonce = '419ac2415577f8e1'
    const first = await businessTalk(lab, { challenge: [metaChallenge('MD5', '', nonce)] })
    await pbxBye(lab, first)
    const seen = new Set([authorization(first.arrived)['cnonce']])
    for (const nc of ['00000002', '00000003', '00000004']) {
      const talk = await businessTalk(lab)
      t.match(authorization(talk.arrived), { nonce, nc })
      t.equal(talk.arrived.cseq, 1, 'without being asked')
      t.ok(verifyDigest(talk.arrived.get('Proxy-Authorization'), 'INVITE', SECRETS.sip))
      seen.add(authorization(talk.arrived)['cnonce'])
      await pbxBye(lab, talk)
    }
    t.equal(seen.size, 4, 'a cnonce of its own each time')

    // The nonce is too old now.
    const { invite, first: stale } = await begin(lab)
    t.equal(authorization(stale.sip)['nc'], '00000005')
    const second = await askAgain(
      lab,
      stale,
      metaChallenge('MD5', ',stale=true', 'ffffffffffffffff'),
    )
    t.match(authorization(second.sip), { nonce: 'ffffffffffffffff', nc: '00000001' })
    // And that one too.
    const third = await askAgain(
      lab,
      second,
      metaChallenge('MD5', ',stale=TRUE', 'eeeeeeeeeeeeeeee'),
    )
    t.match(authorization(third.sip), { nonce: 'eeeeeeeeeeeeeeee', nc: '00000001' })
    t.ok(verifyDigest(third.sip.get('Proxy-Authorization'), 'INVITE', SECRETS.sip))
    await finish(lab, invite, third)
    t.equal(lab.graph.seen.length, 3, 'a stale nonce is no reason to fetch')
  }),
)

t.test('a rotated password is fetched once, and the call goes on', (t) =>
  withLab(t, {}, async (lab) => {
    const rotated = 'rotatedRotatedRotatedRotated1234'
    lab.graph.passwords.set(NUMBER_ID, rotated)
    const reads = (): number => lab.graph.seen.filter(({ method }) => method === 'GET').length
    const before = reads()
    const { invite, first } = await begin(lab)
    const second = await askAgain(lab, first, metaChallenge())
    t.ok(verifyDigest(second.sip.get('Proxy-Authorization'), 'INVITE', SECRETS.sip))
    const third = await askAgain(lab, second, metaChallenge())
    t.ok(verifyDigest(third.sip.get('Proxy-Authorization'), 'INVITE', rotated))
    t.equal(reads(), before + 1, 'one fetch')
    await finish(lab, invite, third)
    const next = await businessTalk(lab)
    t.ok(verifyDigest(next.arrived.get('Proxy-Authorization'), 'INVITE', rotated))
    await pbxBye(lab, next)
    t.notMatch(lab.up.output, rotated)
  }),
)

t.test('a password that stays wrong ends the call, without a storm', (t) =>
  withLab(t, {}, async (lab) => {
    const reads = (): number => lab.graph.seen.filter(({ method }) => method === 'GET').length
    const before = reads()
    for (let i = 0; i < 5; i++) {
      const { invite, first } = await begin(lab)
      let last = first
      if (last.sip.get('Proxy-Authorization') === '')
        last = await askAgain(lab, last, metaChallenge())
      const headers: [string, string][] = [['Proxy-Authenticate', metaChallenge()]]
      last.reply(
        response(last.sip, '407 Proxy Authentication Required', { tag: fresh('n'), headers }),
      )
      const { sip } = await lab.pbx.inbox.take({ status: (s) => s >= 300, callId: invite.callId })
      t.match(sip.get('Warning'), /CALL_CREDENTIALS_REFUSED/)
      t.not(sip.status, 407, 'the PBX is not asked for the password of WhatsApp')
      t.match(sip.get('Reason'), /^Q\.850;cause=\d+/)
      lab.pbx.send(lab.at.udp, ackFailure(invite, sip))
    }
    t.ok(reads() - before <= 5, `${reads() - before} fetches for 5 calls`)
    t.ok(lab.wa.inbox.count({ method: 'INVITE' }) <= 15)
    const talk = await businessTalk(lab)
    await pbxBye(lab, talk)
  }),
)

t.test('a challenge nobody can answer', (t) =>
  withLab(t, {}, async (lab) => {
    for (const value of [
      metaChallenge('BLAKE3'),
      'Digest realm="wa.meta.vc"',
      'Digest nonsense',
      'Bearer realm="x"',
      metaChallenge().replace('qop="auth"', 'qop="auth-int"'),
    ]) {
      const { invite, first } = await begin(lab)
      const headers: [string, string][] = [['Proxy-Authenticate', value]]
      first.reply(response(first.sip, '407 Proxy Authentication Required', { tag: 'q', headers }))
      const { sip } = await lab.pbx.inbox.take({ status: (s) => s >= 300, callId: invite.callId })
      t.match(sip.get('Warning'), /CALL_CHALLENGE_UNSUPPORTED/, value)
      lab.pbx.send(lab.at.udp, ackFailure(invite, sip))
    }
    await pbxBye(lab, await businessTalk(lab))
  }),
)
