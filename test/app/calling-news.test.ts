import t from 'tap'
import { callingNews } from '../../src/app/calling-news.ts'
import type { AccountEvent, PermissionReply } from '../../src/permissions/index.ts'
import type { AccountWebhook, PermissionWebhook } from '../../src/webhooks/index.ts'
import { FakeClock } from '../support/fake-clock.ts'

const AT = 1_790_000_000_000

const CONTACT = {
  waId: '33199001234',
  userId: 'FR.13491208655302741918',
  parentUserId: undefined,
  name: 'Camille',
  username: undefined,
}
const REPLY: PermissionWebhook = {
  kind: 'permission',
  phoneNumberId: '106540352242922',
  contact: CONTACT,
  response: 'accept',
  permanent: false,
  expiresAt: AT + 1000,
  source: 'user_action',
  contextId: 'wamid.1',
  at: AT,
}
const JUDGED: AccountWebhook = {
  kind: 'account',
  accountId: '7',
  phoneNumber: '441632960123',
  event: 'ACCOUNT_RESTRICTION',
  violation: undefined,
  restrictions: [],
  at: AT,
}

function lab() {
  const clock = new FakeClock()
  const replies: PermissionReply[] = []
  const events: AccountEvent[] = []
  const sinks = callingNews(
    {
      applyReply: (reply) => replies.push(reply) > 0,
      applyAccountEvent: (event) => events.push(event) > 0,
    },
    clock,
  )
  return { clock, replies, events, sinks }
}

t.test('a reply goes on with every name of the consumer', async (t) => {
  const { sinks, replies, clock } = lab()
  sinks.onPermissionReply?.(REPLY)
  t.same(replies, [
    {
      phoneNumberId: '106540352242922',
      consumers: ['+33199001234', 'FR.13491208655302741918'],
      response: 'accept',
      permanent: false,
      expires: AT + 1000,
      at: AT,
    },
  ])
  sinks.onPermissionReply?.({ ...REPLY, at: undefined, contact: { ...CONTACT, waId: undefined } })
  t.match(replies[1], { consumers: ['FR.13491208655302741918'], at: clock.now() })
})

t.test('a reply of nobody, or to no number, changes nothing', async (t) => {
  const { sinks, replies } = lab()
  sinks.onPermissionReply?.({ ...REPLY, phoneNumberId: undefined })
  const nobody = { ...CONTACT, waId: undefined, userId: undefined }
  sinks.onPermissionReply?.({ ...REPLY, contact: nobody })
  t.same(replies, [])
})

t.test('a violation and each restriction are events of their own', async (t) => {
  const { sinks, events } = lab()
  sinks.onAccountUpdate?.({
    ...JUDGED,
    violation: { type: 'LOW_BUSINESS_INITIATED_CALLING_QUALITY', remediation: 'call less' },
    restrictions: [
      { type: 'RESTRICTED_BUSINESS_INITIATED_CALLING', expiresAt: AT + 5, remediation: undefined },
      { type: 'RESTRICTED_USER_INITIATED_CALLING', expiresAt: undefined, remediation: 'answer' },
    ],
  })
  const common = { phoneNumber: '441632960123', at: AT }
  t.match(events, [
    { ...common, kind: 'violation', type: 'LOW_BUSINESS_INITIATED_CALLING_QUALITY' },
    { ...common, kind: 'restriction', expires: AT + 5, remediation: undefined },
    { ...common, kind: 'restriction', expires: undefined, remediation: 'answer' },
  ])
  t.equal(events.length, 3)
  sinks.onAccountUpdate?.(JUDGED)
  t.equal(events.length, 3, 'an update of something else')
})
