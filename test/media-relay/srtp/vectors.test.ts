/** Test vectors of the RFCs. RFC 6904 (encrypted header extensions) is not implemented. */
import t from 'tap'
import { Gcm } from '../../../src/media-relay/srtp/gcm.ts'
import { createSrtpReceiver, createSrtpSender } from '../../../src/media-relay/srtp/index.ts'
import { KeyDerivation, type SessionKeys } from '../../../src/media-relay/srtp/key-derivation.ts'
import { KeyStream } from '../../../src/media-relay/srtp/key-stream.ts'
import { Receiver } from '../../../src/media-relay/srtp/receiver.ts'
import { Sender } from '../../../src/media-relay/srtp/sender.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { fromHex } from './packets.ts'

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex')

/** Key stream of the RFC 3711 §B.2 packet: blocks 0 to 0xff01, SSRC, ROC and sequence number 0. */
function keyStream(key: string): (block: number) => string {
  const data = Buffer.alloc(0xff02 * 16)
  new KeyStream(hex(key), hex('f0f1f2f3f4f5f6f7f8f9fafbfcfd')).apply(
    data,
    0,
    data.length,
    0,
    0,
    undefined,
  )
  return (block) => data.toString('hex', 16 * block, 16 * block + 16)
}

t.test('RFC 3711 B.2: AES-CM key stream', async (t) => {
  const block = keyStream('2b7e151628aed2a6abf7158809cf4f3c')
  t.equal(block(0), 'e03ead0935c95e80e166b16dd92b4eb4')
  t.equal(block(1), 'd23513162b02d0f72a43a2fe4a5f97ab')
  t.equal(block(2), '41e95b3bb0a2e8dd477901e4fca894c0')
  t.equal(block(0xfeff), 'ec8cdf7398607cb0f2d21675ea9ea1e4')
  t.equal(block(0xff00), '362b7c3c6773516318a077d7fc5073ae')
  t.equal(block(0xff01), '6a2cc3787889374fbeb4c81b17ba6c44')
})

t.test('RFC 6188 7.1: AES-256-CM key stream', async (t) => {
  const block = keyStream('57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98')
  t.equal(block(0), '92bdd28a93c3f52511c677d08b5515a4')
  t.equal(block(1), '9da71b2378a854f67050756ded165bac')
  t.equal(block(2), '63c4868b7096d88421b563b8c94c9a31')
  t.equal(block(0xfeff), 'cea518c90fd91ced9cbb18c078a54711')
  t.equal(block(0xff00), '3dbc4814f4da5f00a08772b63c6a046d')
  t.equal(block(0xff01), '6eb246913062a16891433e97dd01a57f')
})

t.test('RFC 3711 B.3: key derivation', async (t) => {
  const keys = new KeyDerivation({
    key: hex('e1f97a0d3e018be0d64fa32c06de4139'),
    salt: hex('0ec675ad498afeebb6960b3aabe6'),
  })
  t.equal(keys.derive(0, 16).toString('hex'), 'c61e7a93744f39ee10734afe3ff7a087')
  t.equal(keys.derive(2, 14).toString('hex'), '30cbbc08863d8c85d49db34a9ae1')
  t.equal(
    keys.derive(1, 94).toString('hex'),
    'cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce' +
      'e049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc25' +
      '6d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2',
  )
})

t.test('RFC 6188 7.2: key derivation with AES-256', async (t) => {
  const keys = new KeyDerivation({
    key: hex('f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6'),
    salt: hex('3b04803de51ee7c96423ab5b78d2'),
  })
  t.equal(
    keys.derive(0, 32).toString('hex'),
    '5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4',
  )
  t.equal(keys.derive(2, 14).toString('hex'), 'fa31791685ca444a9e07c6c64e93')
  t.equal(keys.derive(1, 20).toString('hex'), 'fd9c32d39ed5fbb5a9dc96b30818454d1313dc05')
})

t.test('a whole packet as libsrtp protects it, from the master key on', async (t) => {
  const header = '800f1234decafbadcafebabe'
  const cases = [
    {
      suite: 'AES_CM_128_HMAC_SHA1_80',
      key: 'e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6',
      sealed: '4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb',
    },
    {
      suite: 'AES_256_CM_HMAC_SHA1_80',
      key: 'f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b63b04803de51ee7c96423ab5b78d2',
      sealed: 'f1d9de17ff251ff1aa007774b0b4b40da08d9d9a5b3a55d8873b',
    },
  ] as const
  for (const { suite, key, sealed } of cases) {
    const secret = new Secret(hex(key).toString('base64'))
    const { packet } = fromHex(header, 'ab'.repeat(16), '00'.repeat(10))
    t.equal(createSrtpSender(suite, secret).protectRtp(packet, 28), 38, suite)
    t.equal(packet.toString('hex'), header + sealed, suite)
    t.equal(createSrtpReceiver(suite, secret).unprotectRtp(packet, 38), 28, suite)
    t.equal(packet.toString('hex', 0, 28), header + 'ab'.repeat(16), suite)
  }
})

const gcmKeys = {
  AEAD_AES_128_GCM: '000102030405060708090a0b0c0d0e0f',
  AEAD_AES_256_GCM: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
}

/** RFC 7714 §16 and §17 name session keys, not master keys. */
function gcm(key: string): Gcm {
  const keys: SessionKeys = {
    cipher: hex(key),
    salt: hex('517569642070726f2071756f'),
    authentication: Buffer.alloc(0),
  }
  return new Gcm(keys, keys)
}

t.test('RFC 7714 16: SRTP with AES-GCM', async (t) => {
  const header = '8040f17b8041f8d35501a0b2'
  const clear = '47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573'
  const sealed = {
    AEAD_AES_128_GCM:
      'f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833' +
      '899d7f27beb16a9152cf765ee4390cce',
    AEAD_AES_256_GCM:
      '32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b' +
      '7aa3db36dfffd6b0f9bb7878d7a76c13',
  }
  for (const suite of ['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM'] as const) {
    const transform = gcm(gcmKeys[suite])
    const { packet } = fromHex(header, clear, '00'.repeat(16))
    t.equal(new Sender(transform).protectRtp(packet, 50), 66, suite)
    t.equal(packet.toString('hex'), header + sealed[suite], suite)
    t.equal(new Receiver(transform, 0).unprotectRtp(packet, 66), 50, suite)
    t.equal(packet.toString('hex', 0, 50), header + clear, suite)
  }
})

const report =
  '81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef'

t.test('RFC 7714 17.1, 17.2: SRTCP with AES-GCM', async (t) => {
  const sealed = {
    AEAD_AES_128_GCM:
      '81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b46' +
      '86303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4',
    AEAD_AES_256_GCM:
      '81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658' +
      'c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4',
  }
  for (const suite of ['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM'] as const) {
    const transform = gcm(gcmKeys[suite])
    const { packet } = fromHex(report, '00'.repeat(20))
    transform.sealRtcp(packet, 52, 0x4d617273, 0x5d4)
    t.equal(packet.toString('hex'), sealed[suite], suite)
    t.equal(new Receiver(transform, 0).unprotectRtcp(packet, 72), 52, suite)
    t.equal(packet.toString('hex', 0, 52), report, suite)
  }
})

t.test('RFC 7714 17.3: SRTCP that is authenticated only', async (t) => {
  const { packet } = fromHex(report, '841dd9683dd78ec92ae58790125f62b3', '000005d4')
  const receiver = new Receiver(gcm(gcmKeys.AEAD_AES_128_GCM), 0)
  t.equal(receiver.unprotectRtcp(packet, 72), 52)
  t.equal(packet.toString('hex', 0, 52), report)
})
