import t from 'tap'
import { bracketed, formatHostPort } from '../../src/shared/host-port.ts'

t.test('hosts in URIs: IPv6 stands in brackets', async (t) => {
  t.equal(bracketed('10.0.0.9'), '10.0.0.9')
  t.equal(bracketed('pbx.example'), 'pbx.example')
  t.equal(bracketed('2001:db8::9'), '[2001:db8::9]')
  t.equal(formatHostPort('::1', 80), '[::1]:80')
  t.equal(formatHostPort('10.0.0.9', 5060), '10.0.0.9:5060')
  t.equal(formatHostPort('2001:db8::9', undefined), '[2001:db8::9]')
})
