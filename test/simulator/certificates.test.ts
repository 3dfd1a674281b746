import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import t from 'tap'
import { systemClock } from '../../src/shared/clock.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { LabAuthority } from '../../src/simulator/certificates.ts'

const authority = new LabAuthority({ clock: systemClock, random: systemRandom })

t.test('a certificate names what it was issued for and is signed by the CA', async (t) => {
  const { cert, key } = authority.issue({ names: ['wa.meta.vc', 'localhost', '127.0.0.1', '::1'] })
  const issued = new X509Certificate(cert)
  const ca = new X509Certificate(authority.cert)
  t.equal(issued.subject, 'CN=wa.meta.vc')
  t.equal(
    issued.subjectAltName,
    'DNS:wa.meta.vc, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  )
  t.ok(issued.verify(ca.publicKey))
  t.ok(issued.checkIssued(ca))
  t.ok(ca.ca)
  t.notOk(issued.ca)
  t.equal(`${key}`, '[redacted]')
  t.throws(() => authority.issue({ names: [] }), RangeError)
})

t.test('a TLS client that trusts the CA alone accepts it for its names only', async (t) => {
  const { cert, key } = authority.issue({ names: ['sip.example.com'] })
  const server = createServer({ cert, key: key.reveal() }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const dial = (servername: string) =>
    connect({ host: '127.0.0.1', port, servername, ca: authority.cert })
  const good = dial('sip.example.com')
  await once(good, 'secureConnect')
  t.ok(good.authorized)
  good.destroy()
  const [error] = await once(dial('other.example.com'), 'error')
  t.equal((error as NodeJS.ErrnoException).code, 'ERR_TLS_CERT_ALTNAME_INVALID')
})
