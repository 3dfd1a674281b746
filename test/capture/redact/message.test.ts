import t from 'tap'
import { redactMessage } from '../../../src/capture/redact/message.ts'

const KEY = 'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj'
const HEAD = 'INVITE sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\n'
const sdp = (lines: string): string =>
  `${HEAD}Content-Type: application/sdp\r\n\r\nv=0\r\n${lines}\r\n`

/** Texts that hold the secret `KEY`: well-formed, and every way in which they may not be. */
const SECRETS: [string, string][] = [
  ['a crypto line', sdp(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4`)],
  ['two keys in one line', sdp(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x|2^20;inline:${KEY}`)],
  ['another case', sdp(`A=CRYPTO:1 AES_CM_128_HMAC_SHA1_80 INLINE:${KEY}`)],
  ['blanks where none belong', sdp(`a = crypto : 1 AES_CM_128_HMAC_SHA1_80 inline : ${KEY}`)],
  ['a tab in front', sdp(`\ta=crypto:1 AES_CM_128_HMAC_SHA1_80\tinline:${KEY}`)],
  ['no colon', sdp(`a=crypto 1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`)],
  ['no suite', sdp(`a=crypto:1 inline:${KEY}`)],
  ['no inline', sdp(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 ${KEY}`)],
  ['the key in place of the suite', sdp(`a=crypto:1 ${KEY}`)],
  ['the key in place of the tag', sdp(`a=crypto:${KEY} AES_CM_128_HMAC_SHA1_80`)],
  ['a key method nobody knows', sdp(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 uri:${KEY}`)],
  [
    'session parameters with a key',
    sdp(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x FEC_KEY=inline:${KEY}`),
  ],
  ['a broken line', sdp(`a=crypto:1 AES_CM_128_HMAC_SHA1_80\r\n inline:${KEY}`)],
  [
    'bare line feeds',
    sdp(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`).replaceAll('\r\n', '\n'),
  ],
  [
    'bare carriage returns',
    sdp(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`).replaceAll('\r\n', '\r'),
  ],
  ['no end of the header', `${HEAD}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`],
  ['SDP in JSON', `${HEAD}\r\n{"sdp":"v=0\\r\\na=crypto:1 AES inline:${KEY}"}`],
  ['a=ice-pwd', sdp(`a=ice-pwd:${KEY}`)],
  ['a=ice-pwd with a blank', sdp(`a=ice-pwd ${KEY}`)],
  ['ICE-PWD, twice a blank', sdp(`a=ICE-PWD : ${KEY}`)],
  ['ice-pwd in JSON', `${HEAD}\r\n{"ice-pwd":"${KEY}"}`],
  ['icepwd elsewhere', `${HEAD}X-Ice: ice-pwd=${KEY}\r\n\r\n`],
  ['a=key-mgmt', sdp(`a=key-mgmt:mikey ${KEY}`)],
  ['k=', sdp(`k=base64:${KEY}`)],
  ['a response', `${HEAD}Authorization: Digest username="u", response="${KEY}"\r\n\r\n`],
  ['a nonce', `${HEAD}WWW-Authenticate: Digest realm="r",nonce="${KEY}"\r\n\r\n`],
  ['a proxy nonce', `${HEAD}Proxy-Authenticate: Digest nonce=${KEY},realm="r"\r\n\r\n`],
  [
    'opaque, cnonce and what comes',
    `${HEAD}Proxy-Authorization: Digest opaque="${KEY}",cnonce="${KEY}",brandnew="${KEY}"\r\n\r\n`,
  ],
  ['no closing quote', `${HEAD}Authorization: Digest realm="r", response="${KEY}\r\n\r\n`],
  ['no comma', `${HEAD}Authorization: Digest realm="r" response="${KEY}"\r\n\r\n`],
  ['an equals sign in a token', `${HEAD}Authorization: Digest realm=response=${KEY}\r\n\r\n`],
  ['no parameter', `${HEAD}Authorization: Digest ${KEY}\r\n\r\n`],
  ['no scheme', `${HEAD}Authorization: ${KEY}\r\n\r\n`],
  [
    'the token of our Contact in a Request-URI',
    `INVITE sip:4420@10.0.0.5:5060;transport=udp;causeway=${KEY} SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n`,
  ],
  [
    'the same in a Contact',
    `${HEAD}Contact: <sip:4420@10.0.0.5;causeway=${KEY};transport=udp>;expires=60\r\n\r\n`,
  ],
  ['Basic', `${HEAD}Authorization: Basic ${KEY}\r\n\r\n`],
  ['Bearer without a header', `${HEAD}X-Any: Bearer ${KEY}\r\n\r\n`],
  ['a blank before the colon', `${HEAD}Authorization : Digest response="${KEY}"\r\n\r\n`],
  ['a folded header', `${HEAD}Authorization: Digest realm="r",\r\n response="${KEY}"\r\n\r\n`],
  ['a header that begins with a blank', `${HEAD} Authorization: Digest brandnew="${KEY}"\r\n\r\n`],
  ['lower case', `${HEAD}proxy-authorization:digest response="${KEY}"\r\n\r\n`],
  ['a header with a typing error', `${HEAD}Autorization: Digest response="${KEY}"\r\n\r\n`],
  ['no header name', `${HEAD}Digest username="u", nonce="${KEY}"\r\n\r\n`],
  [
    'Authentication-Info',
    `${HEAD}Authentication-Info: nextnonce="${KEY}", rspauth="${KEY}"\r\n\r\n`,
  ],
  ['a cookie', `${HEAD}Cookie: session=${KEY}\r\n\r\n`],
  ['Set-Cookie', `${HEAD}Set-Cookie: ${KEY}; Secure\r\n\r\n`],
  ['a token of somebody', `${HEAD}X-Acme-Auth-Token: ${KEY}\r\n\r\n`],
  ['an API key', `${HEAD}X-Api-Key: ${KEY}\r\n\r\n`],
  ['a password in a URI', `${HEAD}Contact: <sip:user:${KEY}@10.0.0.5>\r\n\r\n`],
  [
    'a message in a body',
    `${HEAD}Content-Type: message/sip\r\n\r\nINVITE sip:x SIP/2.0\r\nAuthorization: Digest response="${KEY}"\r\n`,
  ],
  ['not SIP at all', `\0\u0001inline:${KEY}\0`],
]

t.test('no secret stays, whatever the message looks like', async (t) => {
  for (const [name, text] of SECRETS) {
    t.ok(text.includes(KEY), name)
    for (const numbers of ['full', 'masked'] as const) {
      const redacted = redactMessage(text, numbers)
      t.notOk(redacted.includes(KEY), `${name}: ${redacted}`)
      t.equal(
        redactMessage(redacted, numbers),
        redacted,
        `${name}: the second time changes nothing`,
      )
    }
  }
})

t.test('what a reader needs stays', async (t) => {
  const kept = (text: string): boolean => t.equal(redactMessage(text, 'full'), text)
  kept(
    sdp(
      'a=rtpmap:111 opus/48000/2\r\na=fingerprint:sha-256 AA:BB\r\na=ice-ufrag:abcd\r\na=setup:active',
    ),
  )
  kept(
    `${HEAD}Via: SIP/2.0/TLS 10.0.0.5;branch=z9hG4bK1\r\nContact: <sip:10.0.0.5:5060;transport=tcp>\r\n\r\n`,
  )
  kept('garbage')
  kept('')
  t.match(
    redactMessage(
      `${HEAD}Authorization: Digest username="u", realm="a, b", uri="sip:x", nc=00000001, qop=auth\r\n\r\n`,
      'full',
    ),
    'Digest username="u", realm="a, b", uri="sip:x", nc=00000001, qop=auth',
  )
  t.match(
    redactMessage(sdp('a=crypto:2 AEAD_AES_256_GCM inline:abc'), 'full'),
    `a=crypto:2 AEAD_AES_256_GCM inline:${'REDACTED'.repeat(7)}RED=\r\n`,
  )
})

t.test('a key is replaced by one of its length that says so, lifetime and MKI stay', async (t) => {
  for (const [suite, octets] of [
    ['AES_CM_128_HMAC_SHA1_80', 30],
    ['AES_CM_128_HMAC_SHA1_32', 30],
    ['AES_192_CM_HMAC_SHA1_80', 38],
    ['AES_256_CM_HMAC_SHA1_80', 46],
    ['AEAD_AES_128_GCM', 28],
    ['AEAD_AES_256_GCM', 44],
  ] as const) {
    const key = Buffer.alloc(octets, 7).toString('base64')
    const line = redactMessage(sdp(`a=crypto:1 ${suite} inline:${key}|2^20|1:4`), 'full')
    const [, shown] = /inline:([^|]+)\|2\^20\|1:4\r\n/.exec(line) ?? []
    t.match(shown, /^(REDACTED)+/)
    t.equal(Buffer.from(shown!, 'base64').length, octets, suite)
    t.equal(shown?.length, key.length)
  }
  const odd = redactMessage(sdp(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x|${KEY}`), 'full')
  t.match(odd, /inline:(REDACTED){5}\r\n/)
})

t.test('Content-Length follows the body; a wrong one stays as wrong', async (t) => {
  const body = `v=0\r\na=ice-pwd:${KEY}\r\n`
  const shorter = 'v=0\r\na=ice-pwd:[redacted]\r\n'
  for (const [name, given, expected] of [
    ['Content-Length', body.length, shorter.length],
    ['l', body.length, shorter.length],
    ['Content-Length', body.length + 7, shorter.length + 7],
    ['content-length ', 3, 0],
  ] as const) {
    const redacted = redactMessage(`${HEAD}${name}: ${given}\r\n\r\n${body}`, 'full')
    t.match(redacted, `${name}: ${expected}\r\n\r\n${shorter}`)
  }
  const odd = `${HEAD}Content-Length: many\r\n\r\n${body}`
  t.match(redactMessage(odd, 'full'), 'Content-Length: many\r\n')
})

t.test('typed digits are secrets', async (t) => {
  const info = (type: string, body: string): string =>
    redactMessage(
      `INFO sip:a SIP/2.0\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      'full',
    )
  t.match(
    info('application/dtmf-relay', 'Signal=7\r\nDuration=160\r\n'),
    'Signal=[redacted]\r\nDuration=160',
  )
  t.match(info('application/dtmf', '7'), /Content-Length: 10\r\n\r\n\[redacted\]$/)
  t.match(info('Application/DTMF; x=y', '7'), /\[redacted\]$/)
})

t.test('phone numbers are masked when they are to be, identifiers are not', async (t) => {
  const text = [
    'INVITE sip:+441632960123@sip.example.com;transport=tls SIP/2.0',
    'Via: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK441632960123',
    'From: "+44 1632 960123" <sip:+441632960123@x>;tag=441632960123',
    'To: <tel:+44-1632-960123;phone-context=x>',
    'P-Asserted-Identity: <sip:33199001234;user=phone@x>',
    'X-WhatsApp-Business-Number: +441632960123',
    'Call-ID: outgoing:wacid.HBgLMzMxOTkwMDEyMzQ=',
    'CSeq: 1 INVITE',
    'Content-Type: application/sdp',
    '',
    'v=0',
    'o=441632960123 1234567890 2 IN IP4 10.0.0.5',
    's=33199001234',
    'm=audio 30000 RTP/AVP 8',
    '',
  ].join('\r\n')
  const masked = redactMessage(text, 'masked')
  t.notMatch(masked, /1632 ?-?960123(?!\r\nFrom|\r\nTo)|33199001234|HBgL/)
  t.match(masked, 'branch=z9hG4bK441632960123\r\n')
  t.match(masked, ';tag=441632960123\r\n')
  t.match(masked, 'o=**********23 1234567890 2 IN IP4 10.0.0.5\r\n')
  t.match(masked, 'm=audio 30000 RTP/AVP 8\r\n')
  t.match(masked, 'sip:+**********23@sip.example.com')
  t.match(masked, '<tel:+**-****-****23;phone-context=x>')
  t.match(masked, /Call-ID: outgoing:wacid#[0-9a-f]{12}\r\n/)
  t.match(masked, 'CSeq: 1 INVITE')
  t.equal(redactMessage(text, 'full'), text)
})

t.test('long texts made to take long do not', async (t) => {
  for (const part of [
    'sip:',
    'tel:1',
    '-token',
    ' a',
    '+1 ',
    'wacid.',
    'a=b,',
    '\t',
    '"',
    'a\r\n b',
    'nonce=',
  ]) {
    const text = `${HEAD}Authorization: Digest ${part.repeat(60_000 / part.length)}\r\n\r\n`
    t.type(redactMessage(text, 'masked'), 'string', JSON.stringify(part))
  }
})

t.test('no secret survives a fault in one place of a message, anywhere', async (t) => {
  const secrets = [
    'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj',
    'deadbeefdeadbeefdeadbeefdeadbeef',
    'cafe4711cafe4711cafe4711cafe4711',
    '0paque0paque0paque',
    'cOmmonlyTwentyTwoLong22',
  ]
  const [key, response, nonce, opaque, ice] = secrets
  const text = [
    'INVITE sip:+441632960123@sip.example.com SIP/2.0',
    'Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1',
    `Proxy-Authorization: Digest username="441632960123",realm="a b",nonce="${nonce}",uri="sip:x",response="${response}",opaque="${opaque}",qop=auth`,
    'Content-Type: application/sdp',
    'Content-Length: 230',
    '',
    'v=0',
    'm=audio 30000 RTP/SAVP 111',
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}|2^20|1:4`,
    `a=ice-pwd:${ice}`,
    '',
  ].join('\r\n')
  const inside = (at: number): boolean =>
    secrets.some((secret) => at > text.indexOf(secret) && at < text.indexOf(secret) + secret.length)
  const leaks: string[] = []
  for (let at = 0; at < text.length; at++) {
    if (inside(at)) continue
    for (const fault of ['', ' ', '\r\n', '\n', ':', '=', '"', ',', 'x', '\0']) {
      for (const gone of [0, 1]) {
        const faulty = text.slice(0, at) + fault + text.slice(at + gone)
        const redacted = redactMessage(faulty, 'full')
        if (secrets.some((secret) => redacted.includes(secret))) leaks.push(faulty)
      }
    }
  }
  t.same(leaks, [])
})
