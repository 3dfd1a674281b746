import { inspect } from 'node:util'
import t from 'tap'
import { Secret } from '../../src/shared/secret.ts'

t.test(
  'a secret prints as [redacted] everywhere and gives its value only when asked',
  async (t) => {
    const secret = new Secret('hunter2')
    t.equal(`${secret}`, '[redacted]')
    t.equal(JSON.stringify({ secret }), '{"secret":"[redacted]"}')
    t.equal(inspect({ secret }), '{ secret: [redacted] }')
    t.notMatch(inspect(secret, { showHidden: true, depth: 9 }), /hunter2/)
    t.equal(secret.reveal(), 'hunter2')
    t.ok(secret.equals(new Secret('hunter2')))
  },
)
