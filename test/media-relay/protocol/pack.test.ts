import t from 'tap'
import { pack, packError, unpack, unpackError } from '../../../src/media-relay/protocol/pack.ts'
import { CausewayError } from '../../../src/shared/errors/index.ts'
import { Secret } from '../../../src/shared/secret.ts'

t.test('secrets and errors cross a structured clone', async (t) => {
  const value = {
    crypto: [{ tag: 1, key: new Secret('abc') }],
    nothing: undefined,
    event: { type: 'ended', error: new CausewayError('MEDIA_RELAY_LOST', { detail: 'why' }) },
    list: [1, null, 'x', [true]],
  }
  const back = unpack<typeof value>(structuredClone(pack(value)))
  t.ok(back.crypto[0]!.key instanceof Secret)
  t.equal(back.crypto[0]!.key.reveal(), 'abc')
  t.ok(back.event.error instanceof CausewayError)
  t.match(back.event.error, { code: 'MEDIA_RELAY_LOST', detail: 'why', sip: 503 })
  t.same(back.list, value.list)
  t.ok('nothing' in back)
})

t.test('errors keep code, detail and place; foreign ones their message', async (t) => {
  const known = new CausewayError('MEDIA_SRTP_KEY', { detail: 'short', place: 'line 3' })
  t.match(unpackError(structuredClone(packError(known))), {
    code: 'MEDIA_SRTP_KEY',
    detail: 'short',
    place: 'line 3',
    message: known.message,
  })
  const foreign = unpackError(packError(new TypeError('oops')))
  t.notOk(foreign instanceof CausewayError)
  t.equal(foreign.message, 'oops')
  t.equal(unpackError(packError('text')).message, 'text')
})
