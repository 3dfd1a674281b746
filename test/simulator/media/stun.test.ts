import t from 'tap'
import { Secret } from '../../../src/shared/secret.ts'
import {
  ATTRIBUTE,
  BINDING,
  errorCode,
  hasFingerprint,
  hasIntegrity,
  parseStun,
  writeStun,
  xorAddress,
} from '../../../src/simulator/media/stun.ts'

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex')
const PASSWORD = new Secret('VOkJxbRl1RmTxUk/WvJxBt')

/** RFC 5769 §2.1, §2.2 and §2.3. */
const REQUEST = hex(`00010058 2112a442 b7e7a701bc34d686fa87dfae
  80220010 5354554e207465737420636c69656e74
  00240004 6e0001ff 80290008 932ff9b151263b36
  00060009 6576746a3a68367659202020
  00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004 e57a3bcf`)
const IPV4 = hex(`0101003c 2112a442 b7e7a701bc34d686fa87dfae
  8022000b 7465737420766563746f7220 00200008 0001a147e112a643
  00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96`)
const IPV6 = hex(`01010048 2112a442 b7e7a701bc34d686fa87dfae
  8022000b 7465737420766563746f7220
  00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
  00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c`)

t.test('RFC 5769: the vectors are read and authentic', async (t) => {
  for (const [name, bytes, type] of [
    ['request', REQUEST, BINDING.request],
    ['IPv4 response', IPV4, BINDING.success],
    ['IPv6 response', IPV6, BINDING.success],
  ] as const) {
    const message = parseStun(bytes)!
    t.equal(message.type, type, name)
    t.ok(hasFingerprint(message), name)
    t.ok(hasIntegrity(message, PASSWORD), name)
    t.notOk(hasIntegrity(message, new Secret('another')), name)
  }
  const { attributes } = parseStun(REQUEST)!
  t.equal(attributes.get(ATTRIBUTE.username)!.toString(), 'evtj:h6vY')
  t.equal(attributes.get(ATTRIBUTE.priority)!.readUInt32BE(0), 0x6e0001ff)
})

t.test('RFC 5769: addresses are written as in the vectors', async (t) => {
  const { transaction, attributes } = parseStun(IPV4)!
  t.same(
    xorAddress({ address: '192.0.2.1', port: 32853 }, transaction),
    attributes.get(ATTRIBUTE.xorMappedAddress),
  )
  const six = '2001:db8:1234:5678:11:2233:4455:6677'
  t.same(
    xorAddress({ address: six, port: 32853 }, transaction),
    parseStun(IPV6)!.attributes.get(ATTRIBUTE.xorMappedAddress),
  )
  t.same(
    xorAddress({ address: '::ffff:192.0.2.1', port: 32853 }, transaction),
    attributes.get(ATTRIBUTE.xorMappedAddress),
    'an IPv4 peer on a socket of both families',
  )
})

t.test('what is written can be read, padding and all', async (t) => {
  const transaction = Buffer.alloc(12, 5)
  for (const size of [0, 1, 2, 3, 4]) {
    const bytes = writeStun(
      {
        type: BINDING.error,
        transaction,
        attributes: [[ATTRIBUTE.username, Buffer.alloc(size, 9)]],
      },
      PASSWORD,
    )
    const message = parseStun(bytes)!
    t.equal(message.attributes.get(ATTRIBUTE.username)!.length, size)
    t.ok(hasFingerprint(message) && hasIntegrity(message, PASSWORD))
  }
  t.same(errorCode(487, 'Role Conflict').subarray(0, 4), Buffer.from([0, 0, 4, 87]))
})

t.test('malformed twins are no messages', async (t) => {
  const change = (at: number, ...bytes: number[]): Buffer => {
    const copy = Buffer.from(REQUEST)
    copy.set(bytes, at)
    return copy
  }
  const cases: [string, Buffer][] = [
    ['empty', Buffer.alloc(0)],
    ['header cut', REQUEST.subarray(0, 19)],
    ['tail cut', REQUEST.subarray(0, -4)],
    ['octets behind', Buffer.concat([REQUEST, Buffer.alloc(4)])],
    ['a length that is no multiple of 4', change(3, 0x57)],
    ['no magic cookie', change(4, 0)],
    ['first two bits not zero', change(0, 0x40)],
    ['an attribute beyond the end', change(22, 0xff, 0xff)],
    ['MESSAGE-INTEGRITY too short', change(20 + 56 + 2, 0, 16)],
    ['an attribute behind FINGERPRINT', behindFingerprint()],
  ]
  for (const [name, bytes] of cases) t.equal(parseStun(bytes), undefined, name)
  const flipped = parseStun(change(30, 0x55))!
  t.notOk(hasFingerprint(flipped) || hasIntegrity(flipped, PASSWORD), 'one octet changed')
  for (let seed = 1; seed < 3000; seed++) {
    const bytes = Buffer.from(REQUEST)
    for (let i = 0; i < 3; i++) bytes[(seed * 31 + i * 17) % bytes.length]! ^= seed & 0xff
    const message = parseStun(bytes)
    if (!message || bytes.equals(REQUEST)) continue
    if (hasIntegrity(message, PASSWORD) && hasFingerprint(message)) t.fail(`accepted: ${seed}`)
  }
})

function behindFingerprint(): Buffer {
  const bytes = Buffer.concat([REQUEST, Buffer.from([0, 0x25, 0, 0])])
  bytes.writeUInt16BE(bytes.length - 20, 2)
  return bytes
}

t.test('attributes behind MESSAGE-INTEGRITY do not count', async (t) => {
  const request = writeStun(
    { type: BINDING.request, transaction: Buffer.alloc(12), attributes: [] },
    PASSWORD,
  )
  const injected = Buffer.concat([request.subarray(0, -8), Buffer.from([0, 0x25, 0, 0])])
  injected.writeUInt16BE(injected.length - 20, 2)
  const message = parseStun(injected)!
  t.notOk(message.attributes.has(ATTRIBUTE.useCandidate))
  t.notOk(hasFingerprint(message), 'and no FINGERPRINT is no message of ICE')
})
