import t from 'tap'
import { createDialog, type Dialog } from '../../../src/embedded-drachtio/dialog/dialog.ts'
import { isPrivate, natTarget, nextHop } from '../../../src/embedded-drachtio/dialog/routing.ts'
import type { Flow } from '../../../src/embedded-drachtio/message/index.ts'
import type { AppConnection } from '../../../src/embedded-drachtio/protocol/connection.ts'

function dialog(routes: string[]): Dialog {
  return createDialog({
    id: 'c;from-tag=f',
    role: 'uac',
    usage: 'INVITE',
    callId: 'c',
    localTag: 'f',
    remoteTag: 't',
    local: '<sip:a@b>;tag=f',
    remote: '<sip:c@d>;tag=t',
    owner: {} as AppConnection,
    localSeq: 1,
    remoteSeq: -1,
    remoteTarget: 'sip:target@h',
    routes,
    contact: '',
    flow: undefined,
    nat: undefined,
  })
}

t.test('loose and strict routing (RFC 3261 §12.2.1.1)', async (t) => {
  t.same(nextHop(dialog([])), { uri: 'sip:target@h', routes: [], next: 'sip:target@h' })
  const loose = ['<sip:p1;lr>', '<sip:p2>']
  t.same(nextHop(dialog(loose)), { uri: 'sip:target@h', routes: loose, next: 'sip:p1;lr' })
  t.same(nextHop(dialog(['<sip:p1;x=1>', '<sip:p2;lr>'])), {
    uri: 'sip:p1;x=1',
    routes: ['<sip:p2;lr>', '<sip:target@h>'],
    next: 'sip:p1;x=1',
  })
})

t.test('private networks are those of RFC 1918', async (t) => {
  for (const host of ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.0.1']) {
    t.ok(isPrivate(host), host)
  }
  for (const host of ['172.15.0.1', '172.32.0.1', '11.0.0.1', '192.169.0.1', 'host', '::1']) {
    t.notOk(isPrivate(host), host)
  }
})

const flow: Flow = {
  transport: 'udp',
  id: 1,
  localAddress: '192.0.2.1',
  localPort: 5060,
  remoteAddress: '198.51.100.7',
  remotePort: 40_000,
}
const source = { transport: 'udp', address: '198.51.100.7', port: 40_000 }

t.test('a UDP peer whose Contact is not where it sends from', async (t) => {
  t.match(natTarget('uas', flow, 'sip:x@10.0.0.5:5060', []), source)
  t.match(natTarget('uas', flow, 'sip:x@198.51.100.7:5060', []), source, 'another port')
  t.equal(natTarget('uas', flow, 'sip:x@198.51.100.7:40000', []), undefined)
  t.equal(natTarget('uas', flow, 'sip:x@198.51.100.7', []), undefined, 'no port, no claim')
  t.equal(natTarget('uac', flow, 'sip:x@198.51.100.7:5060', []), undefined)
  t.match(natTarget('uac', flow, 'sip:x@10.0.0.5', []), source)
  t.equal(natTarget('uas', flow, 'sip:x@pbx.example.com', []), undefined, 'a name is believed')
  t.equal(natTarget('uas', flow, 'sip:x@10.0.0.5;transport=tcp', []), undefined)
  t.equal(natTarget('uas', { ...flow, transport: 'tcp' }, 'sip:x@10.0.0.5', []), undefined)
  t.equal(natTarget('uas', flow, 'sip:x@10.0.0.5', ['<sip:p;lr>']), undefined)
  t.match(natTarget('uac', flow, 'sip:x@10.0.0.5', ['<sip:192.168.1.1;lr>']), source)
  t.equal(natTarget('uac', flow, 'sip:x@10.0.0.5', ['<sip:203.0.113.1;lr>']), undefined)
})
