import t from 'tap'
import { headerValue } from '../../../src/embedded-drachtio/message/index.ts'
import {
  CONSUMER,
  callConsumer,
  credentials,
  crlf,
  HOST,
  type InviteParts,
  inviteText,
  type Lab,
  OFFER,
  startLab,
} from './lab.ts'

t.test('refusals, in the order of the rules', async (t) => {
  interface Case {
    name: string
    status: number
    text: string | RegExp
    before?: (lab: Lab) => void
    invite?: InviteParts
    credentials?: Parameters<typeof callConsumer>[3]
  }
  const id = '106540352242922'
  const permission =
    'No Approved Call Permission Found: No approved call permission from the recipient'
  const cases: Case[] = [
    {
      name: 'wrong password',
      status: 403,
      text: /digest/,
      credentials: { password: 'guess' },
    },
    {
      name: 'a user name with its plus',
      status: 403,
      text: /digest username/,
      credentials: { username: '+441632960123' },
    },
    {
      name: 'an unknown From user',
      status: 400,
      text: 'Asset not found, invalid business phone number',
      invite: { fromUser: '+441632960999' },
    },
    {
      name: 'a From domain that is not the configured one',
      status: 403,
      text: `SIP server wa.meta.vc from INVITE does not match any SIP server configured for phone number id ${id}`,
      invite: { fromDomain: 'wa.meta.vc' },
    },
    {
      name: 'an app without the permission for messaging',
      status: 403,
      text: `The app 634974688087057 configured for SIP server ${HOST} is not authorized for phone number id ${id}`,
      before: (lab) => {
        lab.number.apps.get('634974688087057')!.messaging = false
      },
    },
    {
      name: 'calling disabled',
      status: 403,
      text: /not enabled/,
      before: (lab) => {
        lab.number.calling.status = 'DISABLED'
      },
    },
    {
      name: 'a restriction',
      status: 403,
      text: /restricted/,
      before: (lab) => {
        lab.number.restrictions.push({
          type: 'RESTRICTED_BUSINESS_INITIATED_CALLING',
          reason: 'low quality',
          expiration: 2_000_000_000,
        })
      },
    },
    {
      name: 'a country without business-initiated calls',
      status: 403,
      text: /not available/,
      before: (lab) => {
        lab.number.businessInitiatedAllowed = false
      },
    },
    {
      name: 'no permission',
      status: 403,
      text: permission,
      before: (lab) => lab.store.revokePermission(lab.number, CONSUMER),
    },
    {
      name: 'a second call to the same consumer',
      status: 403,
      text: /Duplicate call/,
      before: (lab) =>
        lab.store.recordCall({
          event: 'created',
          wacid: 'wacid.other',
          number: lab.number,
          consumer: CONSUMER,
          direction: 'USER_INITIATED',
        }),
    },
    {
      name: 'the daily limit',
      status: 403,
      text: 'Business Initiated Connected Call Per Day Limit Hit',
      before: (lab) => {
        for (let i = 0; i < 100; i++) {
          const wacid = `wacid.${i}`
          lab.store.recordCall({
            event: 'created',
            wacid,
            number: lab.number,
            consumer: CONSUMER,
            direction: 'BUSINESS_INITIATED',
          })
          lab.store.recordCall({ event: 'connected', wacid })
          lab.store.recordCall({ event: 'ended', wacid, outcome: 'completed' })
        }
      },
    },
    {
      name: 'plain RTP under SDES',
      status: 403,
      text: /No supported crypto/,
      invite: { sdp: OFFER.replace('RTP/SAVP', 'RTP/AVP') },
    },
    {
      name: 'no fingerprint under DTLS',
      status: 403,
      text: 'No fingerprint found in SDP',
      before: (lab) => {
        lab.number.calling.srtp = 'DTLS'
      },
    },
  ]
  for (const { name, status, text, before, invite = {}, credentials = {} } of cases) {
    await t.test(name, async (t) => {
      const lab = await startLab(t)
      before?.(lab)
      const { message } = await callConsumer(lab, await lab.connect(), invite, credentials)
      if (message.kind !== 'response') return t.fail('no response')
      t.equal(message.status, status)
      t.match(message.reason, text)
      t.equal(headerValue(message.headers, 'warning'), `399 wa.meta.vc "${message.reason}"`)
      t.equal(headerValue(message.headers, 'x-fb-external-domain'), 'wa.meta.vc')
      t.ok(headerValue(message.headers, 'allow'))
      const call = lab.simulator.calls.byCallId('call-1')!
      t.same(call.outcome, { by: 'whatsapp', status, reason: message.reason })
    })
  }
})

t.test('requests that need no credentials to be refused', async (t) => {
  const lab = await startLab(t)
  const socket = await lab.connect()
  for (const uri of [`sip:${CONSUMER}@127.0.0.1;transport=tls`, `sips:${CONSUMER}@wa.meta.vc`]) {
    socket.write(crlf(inviteText({ uri, callId: uri })))
    await lab.peer.expect('404 INVITE')
  }
  socket.write(crlf(inviteText({ toTag: 'gone' })))
  await lab.peer.expect('500 INVITE')
  for (const [method, status] of [
    ['REGISTER', 403],
    ['OPTIONS', 200],
    ['SUBSCRIBE', 405],
    ['BYE', 481],
  ] as const) {
    const text = inviteText({ callId: method, toTag: method === 'BYE' ? 'gone' : '' })
    socket.write(crlf(text.replace(/^INVITE/, method).replace(/ INVITE$/m, ` ${method}`)))
    await lab.peer.expect(`${status} ${method}`)
  }
  lab.simulator.change({ options: 'drop' })
  const text = inviteText({ callId: 'probe' })
  socket.write(crlf(text.replace(/^INVITE/, 'OPTIONS').replace(/ INVITE$/m, ' OPTIONS')))
  socket.write(crlf(text.replace(/^INVITE/, 'MESSAGE').replace(/ INVITE$/m, ' MESSAGE')))
  await lab.peer.expect('405 MESSAGE')
})

t.test('a challenged OPTIONS proves password, user and From, and rings nowhere', async (t) => {
  const lab = await startLab(t)
  lab.simulator.change({ options: 'challenge' })
  const socket = await lab.connect()
  const send = (parts: InviteParts): void => {
    const text = inviteText(parts)
    const [head] = text.split('\nContent-Type')
    const options = head!.replace(/^INVITE/, 'OPTIONS').replace(/ INVITE$/m, ' OPTIONS')
    socket.write(crlf(`${options}\n\n`))
  }
  const ask = async (
    parts: InviteParts,
    overrides: Parameters<typeof credentials>[2] = {},
  ): Promise<string> => {
    send(parts)
    const challenge = await lab.peer.expect('407 OPTIONS')
    const value = headerValue(challenge.message.headers, 'proxy-authenticate')!
    const password = lab.store.passwordOf(lab.number, '634974688087057')
    const authorization = credentials(value, password, { method: 'OPTIONS', ...overrides })
    send({ ...parts, cseq: 2, authorization })
    const { message } = await lab.peer.inbox.next()
    if (message.kind !== 'response') throw new Error('not a response')
    return `${message.status} ${message.reason}`
  }
  t.equal(await ask({ callId: 'a' }), '200 OK')
  t.match(await ask({ callId: 'b' }, { password: 'guess' }), /^403 .*digest/)
  t.match(await ask({ callId: 'c' }, { method: 'INVITE' }), /^403 .*digest/)
  t.match(await ask({ callId: 'd', fromUser: '+441632960999' }), /^400 Asset not found/)
  t.match(await ask({ callId: 'e', fromDomain: 'wa.meta.vc' }), /^403 SIP server wa\.meta\.vc/)
  t.equal(lab.simulator.calls.byCallId('a'), undefined, 'it is no call')
})
