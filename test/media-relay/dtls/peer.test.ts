import t from 'tap'
import type { AudioDescription, Candidate } from '../../../src/media/sdp/types.ts'
import { isSamePeer, readPeer } from '../../../src/media-relay/dtls/peer.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { describe } from './lab.ts'

const SHA256 = Array.from({ length: 32 }, (_, n) => (n + 160).toString(16)).join(':')
const HOST: Candidate = {
  foundation: '1',
  component: 1,
  priority: 2122260223,
  address: '192.0.2.7',
  port: 3484,
  type: 'host',
}

interface Change {
  ufrag?: string
  password?: string
  lite?: boolean
  candidates?: Candidate[]
  fingerprints?: { algorithm: string; value: string }[]
  setup?: 'actpass' | 'active' | 'passive' | 'holdconn'
}

function description(change: Change = {}): AudioDescription {
  return describe({
    ice: {
      ufrag: change.ufrag ?? 'AAECAwQFBgcICQoL',
      password: new Secret(change.password ?? 'AAECAwQFBgcICQoLDA0ODw=='),
      lite: change.lite ?? true,
      candidates: change.candidates ?? [HOST],
    },
    dtls: {
      fingerprints: change.fingerprints ?? [{ algorithm: 'sha-256', value: SHA256 }],
      setup: change.setup ?? 'actpass',
    },
  })
}

t.test('takes what WhatsApp writes', async (t) => {
  const peer = readPeer(description(), 4)
  t.match(peer, {
    ufrag: 'AAECAwQFBgcICQoL',
    lite: true,
    setup: 'actpass',
    rtcpMux: true,
    fingerprint: { algorithm: 'sha-256', value: SHA256.toUpperCase() },
    targets: [{ address: '192.0.2.7', port: 3484, priority: 2122260223 }],
  })
  t.equal(peer.password.reveal(), 'AAECAwQFBgcICQoLDA0ODw==')
})

t.test('refuses what the library must not hear of', async (t) => {
  const refused: Record<string, Change> = {
    'short ufrag': { ufrag: 'abc' },
    'long ufrag': { ufrag: 'a'.repeat(257) },
    'ufrag with a line end': { ufrag: 'abcd\r\na=ice-lite' },
    'ufrag with a space': { ufrag: 'ab cd' },
    'ufrag with a colon': { ufrag: 'ab:cd' },
    'ufrag with NUL': { ufrag: 'abcd\0' },
    'ufrag beyond ASCII': { ufrag: 'abcdé' },
    'short password': { password: 'a'.repeat(21) },
    'long password': { password: 'a'.repeat(257) },
    'password with a line end': { password: `${'a'.repeat(22)}\n` },
    'empty fingerprint': { fingerprints: [{ algorithm: 'sha-256', value: '' }] },
    'short fingerprint': { fingerprints: [{ algorithm: 'sha-256', value: 'AA:BB' }] },
    'fingerprint of another length': { fingerprints: [{ algorithm: 'sha-1', value: SHA256 }] },
    'fingerprint out of hexadecimal': {
      fingerprints: [{ algorithm: 'sha-256', value: SHA256.replace('a0', 'g0') }],
    },
    'fingerprint with a line end': {
      fingerprints: [{ algorithm: 'sha-256', value: `${SHA256.slice(0, -3)}\r\nA` }],
    },
    'unsafe hash': { fingerprints: [{ algorithm: 'md5', value: 'AA' }] },
    'unknown hash': { fingerprints: [{ algorithm: '__proto__', value: SHA256 }] },
    'no fingerprint': { fingerprints: [] },
    'lite without a candidate': { candidates: [] },
    'lite of the other family': { candidates: [{ ...HOST, address: '2001:db8::1' }] },
    holdconn: { setup: 'holdconn' },
  }
  for (const [name, change] of Object.entries(refused)) {
    t.throws(() => readPeer(description(change), 4), { code: 'MEDIA_ICE_INVALID' }, name)
  }
  t.throws(() => readPeer({ ...description(), ice: undefined }, 4), {
    code: 'MEDIA_DTLS_WITHOUT_ICE',
  })
  t.throws(() => readPeer({ ...description(), dtls: undefined }, 4), { code: 'MEDIA_ICE_INVALID' })
})

t.test('keeps usable candidates alone, best first', async (t) => {
  const candidates = [
    { ...HOST, address: '192.0.2.1', priority: 5 },
    { ...HOST, address: '3a1b.local' },
    { ...HOST, address: '2001:db8::1' },
    { ...HOST, address: '0.0.0.0' },
    { ...HOST, address: '255.255.255.255' },
    { ...HOST, address: '224.0.0.1' },
    { ...HOST, port: 0 },
    { ...HOST, port: 65536 },
    { ...HOST, port: 1.5 },
    { ...HOST, component: 2 },
    { ...HOST, address: '192.0.2.2', priority: Number.NaN },
    { ...HOST, address: '192.0.2.3', priority: 2 ** 32 },
    { ...HOST, address: '192.0.2.3', priority: 9 },
  ]
  t.same(readPeer(description({ candidates }), 4).targets, [
    { address: '192.0.2.3', port: 3484, priority: 2 ** 31 - 1 },
    { address: '192.0.2.1', port: 3484, priority: 5 },
    { address: '192.0.2.2', port: 3484, priority: 1 },
  ])
  const v6 = [
    HOST,
    { ...HOST, address: 'fe80::1%eth0' },
    { ...HOST, address: '::' },
    { ...HOST, address: 'ff02::1' },
    { ...HOST, address: '2001:db8::9' },
  ]
  t.match(readPeer(description({ candidates: v6 }), 6).targets, [{ address: '2001:db8::9' }])
  const many = Array.from({ length: 100 }, (_, n) => ({ ...HOST, port: n + 1 }))
  t.equal(readPeer(description({ candidates: many }), 4).targets.length, 8)
  t.same(readPeer(description({ lite: false, candidates: [] }), 4).targets, [], 'it checks us')
})

t.test('prefers SHA-256, takes what else is not broken', async (t) => {
  const sha1 = { algorithm: 'SHA-1', value: SHA256.slice(0, 59) }
  const fingerprints = [sha1, { algorithm: 'sha-256', value: SHA256 }]
  t.equal(readPeer(description({ fingerprints }), 4).fingerprint.algorithm, 'sha-256')
  t.equal(readPeer(description({ fingerprints: [sha1] }), 4).fingerprint.algorithm, 'sha-1')
})

t.test('knows a restart', async (t) => {
  const peer = readPeer(description(), 4)
  t.ok(isSamePeer(peer, readPeer(description({ candidates: [{ ...HOST, port: 9 }] }), 4)))
  t.notOk(isSamePeer(peer, readPeer(description({ ufrag: 'other' }), 4)))
  t.notOk(isSamePeer(peer, readPeer(description({ password: 'b'.repeat(22) }), 4)))
  const fingerprints = [{ algorithm: 'sha-256', value: SHA256.replace('a0', '00') }]
  t.notOk(isSamePeer(peer, readPeer(description({ fingerprints }), 4)))
})
