import t from 'tap'
import {
  cidrsOverlap,
  isHostName,
  isLoopback,
  parseCidr,
  parseHostPort,
  parseListen,
  parseSipUri,
  parseUdpAddress,
} from '../../src/config/addresses.ts'
import { Rejection } from '../../src/config/rejection.ts'

const rejected = (value: unknown): boolean => value instanceof Rejection

t.test('listeners', async (t) => {
  t.same(parseListen('tls://0.0.0.0:5061'), { transport: 'tls', host: '0.0.0.0', port: 5061 })
  t.same(parseListen('udp://[2001:db8::1]:5080'), {
    transport: 'udp',
    host: '2001:db8::1',
    port: 5080,
  })
  t.match(parseListen('tls://10.0.0.5'), { port: 5061 })
  t.match(parseListen('tcp://10.0.0.5'), { port: 5060 })
  t.match(parseListen('udp://10.0.0.5:0'), { port: 0 })
  for (const text of [
    '10.0.0.5:5060',
    'ws://10.0.0.5',
    'udp://pbx:5060',
    'udp://:5060',
    'udp://1.2.3.4:70000',
    'udp://::1:5060',
  ]) {
    t.ok(rejected(parseListen(text)), text)
  }
})

t.test('SIP URIs without a user part', async (t) => {
  t.same(parseSipUri('sip:pbx.example.com:5080;transport=TLS'), {
    uri: 'sip:pbx.example.com:5080;transport=TLS',
    host: 'pbx.example.com',
    port: 5080,
    transport: 'tls',
  })
  t.match(parseSipUri('sip:[2001:db8::1]'), {
    host: '2001:db8::1',
    port: undefined,
    transport: 'udp',
  })
  for (const text of [
    'sip:',
    'sip:a@b',
    'sips:b',
    'pbx',
    'sip:b;transport=sctp',
    'sip:b;lr',
    'sip:b:99999',
    'sip:a b',
    'sip:b?x=y',
    'sip:1.2.3',
  ]) {
    t.ok(rejected(parseSipUri(text)), text)
  }
})

t.test('host and port', async (t) => {
  t.same(parseHostPort('localhost:8080'), { host: 'localhost', port: 8080 })
  t.same(parseHostPort('[::1]:0'), { host: '::1', port: 0 })
  for (const text of ['8080', ':8080', '127.0.0.1', '::1:80', '[127.0.0.1]:80', 'a_b:1']) {
    t.ok(rejected(parseHostPort(text)), text)
  }
  t.match(parseHostPort('::1'), { meant: '[::1]' })
  t.equal(parseUdpAddress('udp://127.0.0.1:22222'), 'udp://127.0.0.1:22222')
  t.ok(rejected(parseUdpAddress('127.0.0.1:22222')))
})

t.test('networks', async (t) => {
  t.equal(parseCidr('10.0.0.0/24'), '10.0.0.0/24')
  t.equal(parseCidr('10.0.0.1'), '10.0.0.1/32')
  t.equal(parseCidr('2001:db8::1'), '2001:db8::1/128')
  for (const text of ['10.0.0.0/33', '2001:db8::/129', '10.0.0/24', 'any', '10.0.0.0/']) {
    t.ok(rejected(parseCidr(text)), text)
  }
  t.ok(cidrsOverlap('10.0.0.0/8', '10.1.2.3/32'))
  t.ok(cidrsOverlap('10.1.2.3/32', '10.0.0.0/8'))
  t.notOk(cidrsOverlap('10.0.0.0/24', '10.0.1.0/24'))
  t.notOk(cidrsOverlap('0.0.0.0/0', '::/0'))
})

t.test('kinds of hosts', async (t) => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1']) {
    t.ok(isLoopback(host), host)
  }
  for (const host of ['0.0.0.0', '10.0.0.1', '::', 'example.com']) t.notOk(isLoopback(host), host)
  for (const host of ['sip.example.com', 'localhost', 'a.b.']) t.ok(isHostName(host), host)
  for (const host of ['10.0.0.1', '::1', '-a.com', 'a_b.com', 'a..b', '', '1.2.3']) {
    t.notOk(isHostName(host), host)
  }
})
