import t from 'tap'
import { nearOf } from '../../src/config/addresses.ts'
import { isPrivate, sameAddress } from '../../src/doctor/addresses.ts'
import { readHealth } from '../../src/doctor/checks/calling.ts'
import { judgeChain } from '../../src/doctor/checks/certificate-rules.ts'
import { barredCountry, readTier } from '../../src/doctor/checks/limits.ts'
import { judgeOpenFiles, judgeSkew, judgeSpace } from '../../src/doctor/checks/machine.ts'
import { judgePorts } from '../../src/doctor/checks/media.ts'
import { judgeAnswer } from '../../src/doctor/checks/pbx.ts'
import { fits } from '../../src/doctor/checks/settings.ts'
import { grantedOf } from '../../src/doctor/checks/token.ts'
import { codecFit, pairs } from '../../src/doctor/checks/trunk-media.ts'
import { worst } from '../../src/doctor/finding.ts'
import { factsOf } from '../../src/doctor/instance.ts'
import { readFlight } from '../../src/doctor/probe/flight.ts'
import { bindingRequest, mappedAddress } from '../../src/doctor/probe/stun.ts'
import { openFilesOf, portsOf } from '../../src/doctor/system.ts'
import { labConfig } from '../support/bridge-lab.ts'
import { numberConfig, overflowTo, trunkConfig } from '../support/configs.ts'

t.test('the worst verdict stands for all', async (t) => {
  t.equal(worst([]), 'skipped')
  t.equal(worst(['skipped', 'pass']), 'pass')
  t.equal(worst(['pass', 'warn', 'skipped']), 'warn')
  t.equal(worst(['warn', 'fail', 'pass']), 'fail')
})

t.test('a number and every trunk its routes lead to are a pair', async (t) => {
  const inbound = numberConfig().inbound!
  const match = { params: {}, country: [], payload: [], hours: undefined }
  const to = (trunk: string, refuse?: 486) => {
    const way = { ...inbound, trunk, overflow: overflowTo(`${trunk}-2`) }
    return { name: trunk, match, refuse, inbound: way }
  }
  const outbound = { ...trunkConfig().outbound, number: undefined }
  const prefixes = [{ prefix: '9', number: 'support', strip: true }]
  const config = {
    ...labConfig(),
    numbers: [numberConfig({ inbound: { ...inbound, routes: [to('a'), to('b', 486)] } })],
    trunks: [
      ...['main', 'a', 'a-2', 'b', 'b-2'].map((name) => trunkConfig({ name, outbound })),
      trunkConfig({ name: 'dials', outbound: { ...outbound, prefixes } }),
    ],
  }
  t.same(
    pairs(config).map(({ trunk }) => trunk.name),
    ['main', 'a', 'a-2', 'dials'],
  )
})

t.test('addresses nobody on the Internet reaches', async (t) => {
  for (const one of [
    '10.0.0.5',
    '192.168.1.1',
    '172.31.0.1',
    '127.0.0.1',
    '100.64.0.1',
    'fe80::1',
    'fd00::1',
  ]) {
    t.ok(isPrivate(one), one)
  }
  for (const one of ['157.240.0.1', '172.32.0.1', '2a03:2880::1', 'sip.example.com']) {
    t.notOk(isPrivate(one), one)
  }
  t.ok(sameAddress('2001:db8::1', '2001:0db8:0:0::1'))
  t.ok(sameAddress('::ffff:203.0.113.10', '203.0.113.10'))
  t.notOk(sameAddress('203.0.113.10', '203.0.113.11'))
  t.same(['0.0.0.0', '::', '10.0.0.5'].map(nearOf), ['127.0.0.1', '::1', '10.0.0.5'])
})

t.test('clock, disk, open files', async (t) => {
  t.same(
    [0, 29_000, -31_000, 301_000].map((skew) => judgeSkew(skew).verdict),
    ['pass', 'pass', 'warn', 'fail'],
  )
  t.match(judgeSkew(-90_000).evidence, '90 s behind')
  const total = 2 ** 40
  t.same(
    [2 ** 31, 2 ** 29, 2 ** 26].map((free) => judgeSpace('/data', { free, total }).verdict),
    ['pass', 'warn', 'fail'],
  )
  t.equal(judgeSpace('/d', { free: 2 ** 29, total }).evidence, '512 MiB of 1024.0 GiB free at /d')
  t.same(
    [6000, 5999, Number.POSITIVE_INFINITY].map((limit) => judgeOpenFiles(limit, 1000).verdict),
    ['pass', 'fail', 'pass'],
  )
})

t.test('the tables of the kernel', async (t) => {
  const limits =
    'Limit    Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files\n'
  t.equal(openFilesOf(limits), 1024)
  t.equal(openFilesOf('Max open files  unlimited  unlimited  files\n'), Number.POSITIVE_INFINITY)
  t.equal(openFilesOf('Max processes 1 1 processes\n'), undefined)
  const udp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt
  123: 0100007F:4E20 00000000:0000 07 00000000:00000000 00:00000000 00000000
 7: 00000000000000000000000000000000:14E9 00000000000000000000000000000000:0000 07 00000000:00000000
`
  t.same(portsOf(udp), [20_000, 5353])
})

t.test('ports: pairs count, a stray one does not', async (t) => {
  const range = { min: 20_000, max: 29_999 }
  t.equal(judgePorts(range, new Set(), 1000).verdict, 'pass')
  t.equal(judgePorts(range, new Set([20_100]), 1000).verdict, 'pass')
  t.equal(judgePorts({ min: 20_000, max: 20_003 }, new Set([20_001]), 1).verdict, 'warn')
  t.equal(
    judgePorts({ min: 20_000, max: 20_003 }, new Set([20_001, 20_002]), 1).code,
    'DOCTOR_PORTS_NONE',
  )
  t.equal(judgePorts({ min: 20_001, max: 20_002 }, new Set(), 1).code, 'DOCTOR_PORTS_NONE')
})

t.test('codecs meet, are converted, or neither', async (t) => {
  const embedded = { relay: 'embedded', transcoding: 60 } as const
  t.equal(codecFit(embedded, ['opus'], ['opus', 'PCMA']), 'common')
  t.equal(codecFit(embedded, ['opus'], ['PCMA']), 'converted')
  t.equal(codecFit({ ...embedded, transcoding: 0 }, ['opus'], ['PCMA']), 'none')
  t.equal(codecFit({ ...embedded, transcoding: 0 }, ['opus', 'PCMA'], ['PCMA']), 'common')
  t.equal(codecFit(embedded, ['opus'], ['G722']), 'none')
  t.equal(codecFit({ relay: 'rtpengine', transcoding: 60 }, ['opus'], ['G722']), 'converted')
  t.equal(codecFit({ relay: 'none', transcoding: 60 }, ['opus'], ['PCMA']), 'none')
})

t.test('the stored name is the host of From, or below it', async (t) => {
  t.ok(fits('sip.example.com', 'SIP.example.com.'))
  t.ok(fits('bar.foo.com', 'foo.com'))
  t.notOk(fits('foo.com', 'bar.foo.com'))
  t.notOk(fits('barfoo.com', 'foo.com'))
})

t.test('tiers and countries', async (t) => {
  t.same(
    ['TIER_250', 'TIER_2K', 'TIER_100K', 'TIER_UNLIMITED', 'UNKNOWN', undefined].map(readTier),
    [250, 2000, 100_000, Number.POSITIVE_INFINITY, undefined, undefined],
  )
  t.same(
    [
      '+12025550123',
      '+14165550123',
      '+18765550123',
      '+201001234567',
      '+2348012345678',
      '+441632960123',
    ].map(barredCountry),
    ['the USA or Canada', 'the USA or Canada', undefined, 'Egypt', 'Nigeria', undefined],
  )
})

t.test('the health status of number, account and app', async (t) => {
  const health_status = {
    entities: [
      { entity_type: 'PHONE_NUMBER', can_receive_call_sip: 'AVAILABLE' },
      { entity_type: 'WABA', can_send_message: 'BLOCKED' },
      {
        entity_type: 'APP',
        can_receive_call_sip: 'BLOCKED',
        errors: [
          { error_code: 138025, error_description: 'no server', possible_solution: 'set it' },
        ],
      },
      { entity_type: 'BUSINESS', can_receive_call_sip: 'LIMITED' },
    ],
  }
  t.same(readHealth({ health_status }), [
    { entity: 'APP', state: 'BLOCKED', code: 138025, text: 'no server; set it' },
    { entity: 'BUSINESS', state: 'LIMITED', code: undefined, text: '' },
  ])
  t.same(readHealth({ health_status: 'no object' }), [])
})

t.test('permissions that are granted', async (t) => {
  const data = [
    { permission: 'whatsapp_business_management', status: 'granted' },
    { permission: 'whatsapp_business_messaging', status: 'declined' },
    null,
    { status: 'granted' },
  ]
  t.same(grantedOf({ data }), ['whatsapp_business_management'])
  t.same(grantedOf({}), [])
})

t.test('what OpenSSL says of a chain, for whoever has the certificate', async (t) => {
  const code = (reason: string, sent?: number) => judgeChain(reason, sent).code
  t.equal(code('UNABLE_TO_VERIFY_LEAF_SIGNATURE', 1), 'DOCTOR_CERTIFICATE_CHAIN')
  t.equal(code('UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 1), 'DOCTOR_CERTIFICATE_CHAIN')
  t.equal(code('UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 2), 'DOCTOR_CERTIFICATE_UNTRUSTED')
  t.equal(code('DEPTH_ZERO_SELF_SIGNED_CERT', 1), 'DOCTOR_CERTIFICATE_SELF_SIGNED')
  t.equal(code('SELF_SIGNED_CERT_IN_CHAIN', 2), 'DOCTOR_CERTIFICATE_UNTRUSTED')
  t.equal(code('CERT_HAS_EXPIRED', 2), 'DOCTOR_CERTIFICATE_EXPIRED')
})

t.test('any answer of the PBX is a sign of life', async (t) => {
  const verdict = (status: number) => judgeAnswer('sip:10.0.0.9', status, 'x', 1).verdict
  t.same([200, 401, 404, 405, 501].map(verdict), ['pass', 'pass', 'pass', 'pass', 'pass'])
  t.same([500, 503, 603].map(verdict), ['warn', 'warn', 'warn'])
})

t.test('the health of an instance, and that of another program', async (t) => {
  const body = {
    serviceId: 'causeway',
    releaseId: '1.2.3',
    checks: {
      certificate: [{ componentId: 'tls://0.0.0.0:5061', status: 'pass', output: 'valid' }],
      relay: [{ componentId: 'embedded', status: 'warn', output: 'full' }],
    },
  }
  const facts = factsOf('http://127.0.0.1:8080', body)
  t.same(facts?.whatsapp, { host: '0.0.0.0', port: 5061 })
  t.same(facts?.checks[1], { component: 'relay', id: 'embedded', status: 'warn', output: 'full' })
  for (const other of [undefined, {}, { serviceId: 'grafana', checks: {} }, 'text']) {
    t.equal(factsOf('http://127.0.0.1:8080', other), undefined)
  }
})

t.test('a STUN answer: plain and xored, ours alone', async (t) => {
  const id = Buffer.from('0102030405060708090a0b0c', 'hex')
  t.equal(bindingRequest(id).toString('hex'), '000100002112a4420102030405060708090a0b0c')
  // The IPv4 address of RFC 5769 §2.2: 192.0.2.1:32853.
  const head = (length: string) => `0101${length}2112a442${id.toString('hex')}`
  const xored = Buffer.from(`${head('000c')}002000080001a147e112a643`, 'hex')
  t.same(mappedAddress(xored, id), { address: '192.0.2.1', port: 32_853 })
  const plain = Buffer.from(`${head('000c')}0001000800018055c0000201`, 'hex')
  t.same(mappedAddress(plain, id), { address: '192.0.2.1', port: 32_853 })
  t.equal(mappedAddress(xored, Buffer.alloc(12)), undefined)
  t.equal(mappedAddress(Buffer.from('0101'), id), undefined)
  t.equal(mappedAddress(xored.subarray(0, 26), id), undefined)
})

t.test('what is no TLS is no flight', async (t) => {
  const nothing = { certificates: [], requestsCertificate: false }
  t.same(readFlight(Buffer.alloc(0)), nothing)
  t.same(readFlight(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')), nothing)
  t.same(readFlight(Buffer.from([22, 3, 3, 0, 200, 11, 0, 0])), nothing)
  t.same(readFlight(Buffer.from([22, 3, 3, 0, 4, 13, 0, 0, 0])), {
    ...nothing,
    requestsCertificate: true,
  })
})
