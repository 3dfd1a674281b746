import t from 'tap'
import { SUITES } from '../../../src/media/anchor/types.ts'
import {
  answerForPbx,
  answerForWhatsApp,
  formatsForPbx,
} from '../../../src/media/anchored/rules/codecs.ts'
import { describe, PLAIN } from '../../../src/media/anchored/rules/describe.ts'
import {
  connects,
  eventCodec,
  type Format,
  formatOf,
  offeredCodecs,
} from '../../../src/media/anchored/rules/formats.ts'
import { chooseLine } from '../../../src/media/anchored/rules/keying.ts'
import { reachedExternally } from '../../../src/media/anchored/rules/plans.ts'
import { parseAudio } from '../../../src/media/sdp/parse.ts'
import { trunkConfig } from '../../support/configs.ts'
import { editedSdp, sdpFixture } from '../../support/sdp-fixtures.ts'

const G711 = ['PCMA', 'PCMU']

t.test('what connects: the same, or converted', async (t) => {
  const rows: [Format, Format, boolean][] = [
    ['opus', 'opus', true],
    ['PCMA', 'PCMA', true],
    ['opus', 'PCMA', true],
    ['PCMU', 'opus', true],
    ['PCMA', 'PCMU', true],
    ['opus', 'G722', false],
    ['G722', 'G722', true],
  ]
  for (const [a, b, expected] of rows) t.equal(connects(a, b, G711), expected, `${a} ${b}`)
})

t.test('formats are known by name, rate and channels', async (t) => {
  const codec = (name: string, clockRate: number, channels?: number) =>
    formatOf({ payloadType: 96, name, clockRate, channels, fmtp: undefined })
  t.equal(codec('OPUS', 48000, 2), 'opus')
  t.equal(codec('opus', 16000, 2), undefined)
  t.equal(codec('pcma', 8000), 'PCMA')
  t.equal(codec('PCMA', 8000, 1), 'PCMA')
  t.equal(codec('PCMA', 16000), undefined)
  t.equal(codec('telephone-event', 8000), undefined)
})

t.test('the trunk’s order counts, after what passes through', async (t) => {
  t.strictSame(formatsForPbx(['PCMU', 'PCMA', 'opus'], ['opus'], G711), ['opus', 'PCMU', 'PCMA'])
  t.strictSame(formatsForPbx(['PCMU', 'opus', 'PCMA'], ['PCMA'], G711), ['PCMA', 'PCMU', 'opus'])
  t.strictSame(formatsForPbx(['G722', 'opus'], ['opus'], G711), ['opus'])
  t.equal(answerForPbx(['PCMA', 'PCMU'], ['PCMU', 'PCMA'], 'opus', G711), 'PCMU')
  t.equal(answerForPbx(['PCMA', 'opus'], ['PCMA', 'opus'], 'opus', G711), 'opus')
  t.equal(answerForWhatsApp(['PCMA', 'opus'], undefined, G711), 'opus')
  t.equal(answerForWhatsApp(['PCMA', 'opus'], 'PCMA', G711), 'PCMA')
  t.equal(answerForWhatsApp(['PCMA', 'opus'], 'PCMU', G711), 'opus')
})

t.test('payload types in use keep their meaning', async (t) => {
  const before = parseAudio(sdpFixture('chromium-offer')).codecs
  const numbers = offeredCodecs(
    ['opus', 'G722', 'PCMA'],
    eventCodec(101, '0-16'),
    before,
    undefined,
  )
  t.strictSame(
    numbers.map((codec) => codec.payloadType),
    [111, 9, 8, 126],
  )
  const taken = [{ payloadType: 111, name: 'red', clockRate: 48000, channels: 2, fmtp: undefined }]
  const moved = offeredCodecs(['opus'], eventCodec(96, undefined), taken, undefined)
  t.strictSame(
    moved.map((codec) => codec.payloadType),
    [96, 97],
  )
})

t.test('the crypto line to take: by our order of suites, not by the offer’s', async (t) => {
  const { crypto } = parseAudio(sdpFixture('freeswitch-offer'))
  const choose = (suites: readonly (typeof SUITES)[number][]) =>
    chooseLine(crypto, { transcodes: [], renumbers: true, dtlsWithoutIce: false, suites })?.tag
  t.equal(choose(SUITES), 3)
  t.equal(choose(['AES_256_CM_HMAC_SHA1_80']), 2)
  t.equal(choose(['AEAD_AES_128_GCM']), undefined)
  const weak = parseAudio(
    editedSdp('freeswitch-offer', ['xwd\r\na=crypto:4', 'xwd UNAUTHENTICATED_SRTP\r\na=crypto:4']),
  )
  const abilities = { transcodes: [], renumbers: true, dtlsWithoutIce: false, suites: SUITES }
  t.equal(
    chooseLine(weak.crypto, abilities)?.tag,
    4,
    'session parameters that weaken are not taken',
  )
})

t.test('who reaches us by the external address', async (t) => {
  const target = { uri: '', port: 5060, transport: 'udp', weight: 1 } as const
  const trunk = (...hosts: string[]) =>
    trunkConfig({ targets: hosts.map((host) => ({ ...target, host })) })
  const at = (address: string) =>
    parseAudio(sdpFixture('asterisk-offer').replace('c=IN IP4 10.0.0.9', `c=IN IP4 ${address}`))
  const rows: [string, string[], string | undefined, boolean][] = [
    ['a PBX on the LAN', ['10.0.0.9'], '10.0.0.9', false],
    ['on this machine', ['127.0.0.1'], undefined, false],
    ['IPv6, unique local', ['fd00::9'], undefined, false],
    ['IPv6, link-local', ['fe80::9'], undefined, false],
    ['a public one', ['198.51.100.7'], '198.51.100.7', true],
    ['a name', ['pbx.example.com'], '10.0.0.9', true],
    [
      'a public one that describes itself by its private address',
      ['198.51.100.7'],
      '10.0.0.9',
      true,
    ],
    ['a LAN PBX whose media is outside', ['10.0.0.9'], '198.51.100.7', true],
    ['a LAN PBX on hold', ['10.0.0.9'], '0.0.0.0', false],
    ['one that registers, from the LAN', [], '10.0.0.9', false],
    ['one of which nothing is known', [], undefined, true],
  ]
  for (const [name, hosts, address, expected] of rows) {
    const remote = address === undefined ? undefined : at(address)
    t.equal(reachedExternally(trunk(...hosts), remote), expected, name)
  }
})

t.test('an RTCP port of its own is named only where it is not the next one', async (t) => {
  const transport = {
    address: '10.0.0.5',
    family: 4,
    port: 30000,
    rtcpMux: false,
    crypto: [],
    dtls: undefined,
    ice: undefined,
    ssrc: undefined,
    cname: 'c',
  } as const
  const shape = {
    keying: 'none',
    profile: 'RTP/AVP',
    codecs: [],
    direction: 'sendrecv',
    places: PLAIN,
    named: true,
  } as const
  const written = (rtcpPort: number) =>
    describe({ ...transport, crypto: [], rtcpPort }, { ...shape, codecs: [] })
  t.equal(written(30001).rtcp, undefined)
  t.strictSame(written(30007).rtcp, { port: 30007, address: undefined })
  t.equal(written(30001).source, undefined, 'an SSRC nobody knows is not named')
})
