import t from 'tap'
import { consumerOf, digitsOf } from '../../../src/bridge/address/consumer.ts'
import { splitValues } from '../../../src/bridge/address/contacts.ts'
import { Networks } from '../../../src/bridge/address/networks.ts'
import { displayPrefix, escapeUser, parseParty, parseUri } from '../../../src/bridge/address/uri.ts'

t.test('dialled numbers become WhatsApp users', async (t) => {
  const table: [string, string | undefined][] = [
    ['+33199001234', '+33199001234'],
    ['33199001234', '+33199001234'],
    ['0033199001234', '+33199001234'],
    ['+33 (1) 99-00.12/34', '+33199001234'],
    ['FR.13491208655302741918', 'FR.13491208655302741918'],
    ['fr.13491208655302741918', 'FR.13491208655302741918'],
    ['1234567', '+1234567'],
    ['123456', undefined],
    ['0199001234', undefined],
    ['+0199001234', undefined],
    ['+1234567890123456', undefined],
    ['alice', undefined],
    ['', undefined],
    ['+', undefined],
    ['FR.', undefined],
    ['33199001234;ext=5', undefined],
  ]
  for (const [dialled, expected] of table) t.equal(consumerOf(dialled), expected, dialled)
  t.equal(digitsOf('+44 1632 960123'), '441632960123')
  t.equal(digitsOf('FR.1349'), '')
})

t.test('URIs', async (t) => {
  t.same(parseUri('sip:+441632960123;tgrp=x;trunk-context=y@SIP.example.com;transport=tls'), {
    user: '+441632960123',
    host: 'sip.example.com',
  })
  t.same(parseUri('sips:a%20b@[2001:db8::1]:5061'), { user: 'a b', host: '[2001:db8::1]' })
  t.same(parseUri('sip:10.0.0.1:5060'), { user: '', host: '10.0.0.1' })
  t.same(parseUri('tel:+44-1632;phone-context=x'), { user: '+44-1632', host: '' })
  t.same(parseUri('sip:100%zz@h'), { user: '100%zz', host: 'h' })
  t.equal(parseUri('http://x'), undefined)
  t.equal(parseUri('sip:user@'), undefined)
  t.equal(parseUri(''), undefined)
})

t.test('parties', async (t) => {
  t.same(parseParty('"Zoë \\"Z\\" <x>" <sip:+33199001234@wa.meta.vc>;tag=1'), {
    display: 'Zoë "Z" <x>',
    user: '+33199001234',
    host: 'wa.meta.vc',
  })
  t.same(parseParty('Alice Smith <sip:a@h>'), { display: 'Alice Smith', user: 'a', host: 'h' })
  t.same(parseParty('sip:a@h;tag=9'), { display: '', user: 'a', host: 'h' })
  t.equal(parseParty('nonsense'), undefined)
})

t.test('what we write cannot break out of its place', async (t) => {
  t.equal(escapeUser('+44'), '+44')
  t.equal(escapeUser('a@b >\r\n'), 'a%40b%20%3E%0D%0A')
  t.equal(escapeUser('é😀'), '%C3%A9%F0%9F%98%80')
  t.equal(displayPrefix(''), '')
  t.equal(displayPrefix('Zoë "Z"\r\nX: y'), '"Zoë \\"Z\\"X: y" ')
})

t.test('headers with several addresses', async (t) => {
  const rows: [value: string, parts: string[]][] = [
    ['<sip:1@h>', ['<sip:1@h>']],
    ['"A, B" <sip:1@h>, <tel:+2>', ['"A, B" <sip:1@h>', '<tel:+2>']],
    ['Anna <sip:1@h>;reason=x,Bob <sip:2@h>', ['Anna <sip:1@h>;reason=x', 'Bob <sip:2@h>']],
    ['"a \\", b" <sip:1,2@h>,sip:3@h', ['"a \\", b" <sip:1,2@h>', 'sip:3@h']],
    ['"open, <sip:1@h>', ['"open, <sip:1@h>']],
    ['', []],
    [' , <sip:1@h>,', ['<sip:1@h>']],
  ]
  for (const [value, parts] of rows) t.same(splitValues(value), parts, value)
})

t.test('networks', async (t) => {
  const nets = new Networks(['10.0.0.0/24', '192.0.2.7', '2001:db8::/32'])
  for (const inside of [
    '10.0.0.9',
    '::ffff:10.0.0.9',
    '192.0.2.7',
    '2001:db8::5',
    '[2001:db8::5]',
  ]) {
    t.ok(nets.has(inside), inside)
  }
  for (const outside of ['10.0.1.9', '192.0.2.8', '2001:db9::1', '', 'host', '::1']) {
    t.notOk(nets.has(outside), outside)
  }
  t.ok(new Networks('any').has('203.0.113.1'))
  t.notOk(new Networks([]).has('203.0.113.1'))
})
