import t from 'tap'
import { targetsFor } from '../../../src/bridge/call/refer.ts'
import { parseReferTo } from '../../../src/bridge/headers/refer-to.ts'
import { parseReplaces } from '../../../src/bridge/headers/replaces.ts'
import { TargetHealth } from '../../../src/bridge/trunks/target-health.ts'
import { trunkConfig } from '../../support/configs.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'

t.test('Refer-To', async (t) => {
  const invite = { method: 'INVITE', port: undefined, replaces: undefined }
  const table: [string, object | undefined][] = [
    ['<sip:202@10.0.0.9>', { ...invite, user: '202', host: '10.0.0.9' }],
    ['sip:202@10.0.0.9;x=1', { ...invite, user: '202', host: '10.0.0.9' }],
    [
      '"A, B" <sip:202@PBX.example:5070;transport=tcp>;x=y',
      { user: '202', host: 'pbx.example', port: 5070 },
    ],
    ['<sips:10.0.0.9>', { ...invite, user: '', host: '10.0.0.9' }],
    ['<sip:202@[2001:db8::1]:5060>', { user: '202', host: '[2001:db8::1]', port: 5060 }],
    ['<sip:202;phone-context=x:pw@h>', { user: '202', host: 'h' }],
    ['<sip:a%20b@h;method=BYE>', { user: 'a%20b', method: 'BYE' }],
    ['<tel:+15550100;ext=2>', { ...invite, user: '+15550100', host: '' }],
    [
      '<sip:202@h?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Require=replaces>',
      { user: '202', replaces: 'a@b;to-tag=1;from-tag=2' },
    ],
    ['<sip:202@h?Replaces=a%0d%0aX: y>', undefined],
    ['<sip:202@h?Replaces=%zz>', undefined],
    ['<sip:1@h>, <sip:2@h>', undefined],
    ['<http://h>', undefined],
    ['<sip:>', undefined],
    ['', undefined],
  ]
  for (const [value, expected] of table) {
    if (expected) t.match(parseReferTo(value), expected, value)
    else t.equal(parseReferTo(value), undefined, value)
  }
})

t.test('Replaces', async (t) => {
  t.same(parseReplaces('a@b;to-tag=1;from-tag=2'), {
    callId: 'a@b',
    toTag: '1',
    fromTag: '2',
    earlyOnly: false,
  })
  t.match(parseReplaces(' a ; From-Tag = 2 ;early-only; to-tag=1'), {
    callId: 'a',
    fromTag: '2',
    toTag: '1',
    earlyOnly: true,
  })
  for (const value of ['', 'a', 'a;to-tag=1', ';to-tag=1;from-tag=2', 'a;to-tag=1;from-tag=2,b']) {
    t.equal(parseReplaces(value), undefined, value)
  }
})

t.test('where a transfer goes', async (t) => {
  const health = new TargetHealth(new FakeClock(), new FakeRandom())
  const target = (host: string, port: number | undefined) => ({
    uri: `sip:${host}`,
    host,
    port,
    transport: 'udp' as const,
    weight: 1,
  })
  const trunk = trunkConfig({
    targets: [
      target('10.0.0.9', undefined),
      target('10.0.0.10', 5070),
      target('2001:db8::1', 5060),
    ],
  })
  const hosts = (referTo: string) =>
    targetsFor(trunk, parseReferTo(referTo)!, health).map(({ host }) => host)
  t.same(hosts('<sip:202@10.0.0.10>'), ['10.0.0.10'], "the PBX's own host decides")
  t.same(hosts('<sip:202@10.0.0.10:5080>'), ['10.0.0.10'], 'whatever the port')
  t.same(hosts('<sip:202@10.0.0.9:5060>'), ['10.0.0.9'])
  t.same(hosts('<sip:202@[2001:db8::1]>'), ['2001:db8::1'])
  t.same(hosts('<sip:202@elsewhere>'), ['10.0.0.9', '10.0.0.10', '2001:db8::1'])
  t.same(hosts('<tel:+15550100>'), ['10.0.0.9', '10.0.0.10', '2001:db8::1'])
  t.same(hosts('<sip:elsewhere>'), [], 'nobody to ask for')
})
