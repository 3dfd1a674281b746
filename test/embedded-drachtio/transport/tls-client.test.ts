import t from 'tap'
import { connectionError } from '../../../src/embedded-drachtio/transport/failure.ts'
import { verifyDomain } from '../../../src/embedded-drachtio/transport/tls-client.ts'

const subject = { C: '', ST: '', L: '', O: '', OU: '', CN: 'cn.example.com' }

t.test('which certificates stand for a domain (RFC 5922 §7.1)', async (t) => {
  const cases: [string, string, boolean][] = [
    ['DNS:example.com', 'example.com', true],
    ['DNS:example.com', 'EXAMPLE.com', true],
    ['DNS:example.com', 'sip.example.com', false],
    ['DNS:*.example.com', 'sip.example.com', true],
    ['IP Address:192.0.2.1', '192.0.2.1', true],
    ['IP Address:192.0.2.1', '192.0.2.2', false],
    ['URI:sip:example.com', 'example.com', true],
    ['URI:sip:Example.COM', 'example.com', true],
    ['URI:sip:other.example', 'example.com', false],
    ['URI:sip:alice@example.com', 'example.com', false],
    ['URI:https://example.com', 'example.com', false],
    ['DNS:a.example, URI:sip:example.com', 'example.com', true],
    ['DNS:"x, URI:sip:example.com"', 'example.com', false],
    ['DNS:a.example', 'cn.example.com', false],
  ]
  for (const [subjectaltname, domain, verified] of cases) {
    const error = verifyDomain(domain, { subject, subjectaltname })
    t.equal(error === undefined, verified, `${subjectaltname} for ${domain}`)
  }
})

t.test('errors of connections are told apart', async (t) => {
  const target = { transport: 'tls' as const, address: '::1', port: 5061, domain: 'example.com' }
  const failure = (code: string, message = code): Error =>
    Object.assign(new Error(message), { code })
  const cases: [Error, boolean, string, RegExp][] = [
    [
      failure('ECONNREFUSED'),
      false,
      'SIP_CONNECT_FAILED',
      /^tls \[::1\]:5061 \(example.com\): ECONN/,
    ],
    [failure('CERT_HAS_EXPIRED'), true, 'SIP_TLS_VERIFY_FAILED', /EXPIRED/],
    [failure('SELF_SIGNED_CERT_IN_CHAIN'), true, 'SIP_TLS_VERIFY_FAILED', /SELF/],
    [failure('ERR_TLS_CERT_ALTNAME_INVALID'), true, 'SIP_TLS_VERIFY_FAILED', /ALTNAME/],
    [
      failure('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'),
      true,
      'SIP_TLS_HANDSHAKE_FAILED',
      /alert no application protocol$/,
    ],
    [
      failure('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'),
      true,
      'SIP_TLS_HANDSHAKE_FAILED',
      /alert handshake failure$/,
    ],
    [
      failure(
        'ERR_SSL_WRONG_VERSION_NUMBER',
        '40A:error:0A00010B:SSL routines:f:wrong version number:a.c:1:',
      ),
      true,
      'SIP_TLS_HANDSHAKE_FAILED',
      /: wrong version number$/,
    ],
    [failure('ECONNRESET'), true, 'SIP_TLS_HANDSHAKE_FAILED', /closed the connection during/],
  ]
  for (const [cause, handshaking, code, detail] of cases) {
    t.match(connectionError(target, cause, handshaking), { code, detail, cause })
  }
})
