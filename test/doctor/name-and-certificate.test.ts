import { connect } from 'node:net'
import t from 'tap'
import { makeCa, makeCert } from '../support/certificates.ts'
import { DOMAIN, PUBLIC, scene, tlsServer, type World } from './support.ts'

t.setTimeout(300_000)

t.test('an installation in good health', async (t) => {
  const results = await scene(t, () => {}, { named: {} })
  const evidence = (id: string) => results.find((one) => one.id === id)!.findings[0]!.evidence
  t.match(evidence('certificate'), /^sip\.example\.com until .*, TLS 1\.2 and 1\.3, no client/)
  t.match(evidence('credentials'), /accepted \(200 after a challenge\)/)
  t.match(evidence('listener'), /^203\.0\.113\.10:\d+ is this listener$/)
  t.match(evidence('whatsapp-tls'), /^wa\.meta\.vc at 127\.0\.0\.1:\d+, TLSv1\.3, without ALPN$/)
})

t.test('the certificate has expired', async (t) => {
  await scene(t, (world) => world.listen({ certificate: world.certificate(-3) }), {
    named: { certificate: 'fail DOCTOR_CERTIFICATE_EXPIRED' },
  })
})

t.test('the certificate expires soon', async (t) => {
  await scene(t, (world) => world.listen({ certificate: world.certificate(5) }), {
    named: { certificate: 'warn DOCTOR_CERTIFICATE_EXPIRING' },
  })
})

t.test('the certificate is for another name', async (t) => {
  const plant = (world: World) =>
    world.listen({ certificate: makeCert({ ca: world.ca, dns: ['pbx.example.com'] }) })
  const results = await scene(t, plant, {
    named: { certificate: 'fail DOCTOR_CERTIFICATE_NAME' },
  })
  const { evidence } = results.find(({ id }) => id === 'certificate')!.findings[0]!
  t.equal(evidence, 'it covers DNS:pbx.example.com, not sip.example.com')
})

t.test('the certificate is self-signed', async (t) => {
  await scene(t, (world) => world.listen({ certificate: makeCert({ dns: [DOMAIN] }) }), {
    named: { certificate: 'fail DOCTOR_CERTIFICATE_SELF_SIGNED' },
  })
})

t.test('the chain lacks its intermediate certificate', async (t) => {
  const plant = (world: World) => {
    const between = makeCa('Intermediate', world.ca)
    return world.listen({ certificate: makeCert({ ca: between, dns: [DOMAIN] }) })
  }
  await scene(t, plant, { named: { certificate: 'fail DOCTOR_CERTIFICATE_CHAIN' } })
})

t.test('with the intermediate certificate the chain is good', async (t) => {
  const plant = (world: World) => {
    const between = makeCa('Intermediate', world.ca)
    const { cert, key } = makeCert({ ca: between, dns: [DOMAIN] })
    return world.listen({ certificate: { cert: cert + between.cert, key } })
  }
  await scene(t, plant, { named: {} })
})

t.test('the authority is unknown', async (t) => {
  const root = makeCa('Private root')
  const between = makeCa('Private intermediate', root)
  const { cert, key } = makeCert({ ca: between, dns: [DOMAIN] })
  await scene(t, (world) => world.listen({ certificate: { cert: cert + between.cert, key } }), {
    named: { certificate: 'fail DOCTOR_CERTIFICATE_UNTRUSTED' },
  })
})

t.test('the listener asks for a client certificate', async (t) => {
  const tls = { requestCert: true, rejectUnauthorized: false }
  await scene(t, (world) => world.listen({ certificate: world.certificate(60), tls }), {
    named: { certificate: 'warn DOCTOR_CLIENT_CERTIFICATE' },
  })
})

t.test('the listener demands a client certificate', async (t) => {
  const tls = { requestCert: true, rejectUnauthorized: true }
  await scene(t, (world) => world.listen({ certificate: world.certificate(60), tls }), {
    named: { certificate: 'fail DOCTOR_CLIENT_CERTIFICATE' },
  })
})

t.test('the listener speaks TLS 1.3 only', async (t) => {
  const tls = { minVersion: 'TLSv1.3' } as const
  await scene(t, (world) => world.listen({ certificate: world.certificate(60), tls }), {
    named: { certificate: 'warn DOCTOR_TLS_VERSION' },
  })
})

t.test('the key belongs to another certificate', async (t) => {
  const plant = (world: World) => {
    const [one, other] = [world.certificate(60), world.certificate(60)]
    world.write({ cert: one.cert, key: other.key })
  }
  await scene(t, plant, { named: { certificate: 'fail SIP_CERTIFICATE_UNUSABLE' } })
})

t.test('the listener still shows the certificate before the renewal', async (t) => {
  await scene(t, (world) => world.write(world.certificate(60)), {
    named: { certificate: 'fail DOCTOR_CERTIFICATE_STALE' },
  })
})

t.test('nothing listens: the files are judged, and the evidence says so', async (t) => {
  const plant = (world: World) => {
    world.write(world.certificate(-1))
    world.listener?.close()
  }
  const results = await scene(t, plant, {
    named: { certificate: 'fail DOCTOR_CERTIFICATE_EXPIRED' },
    skipped: ['listener'],
  })
  const { evidence } = results.find(({ id }) => id === 'certificate')!.findings[0]!
  t.match(evidence, /\(the file: nothing listens at 127\.0\.0\.1:\d+\)$/)
})

t.test('the name has no address', async (t) => {
  const plant = (world: World) => {
    world.system.resolve = async () => []
  }
  await scene(t, plant, { named: { dns: 'fail DOCTOR_DNS_MISSING' }, skipped: ['listener'] })
})

t.test('the name leads to a private address', async (t) => {
  const plant = (world: World) => {
    world.system.resolve = async () => ['10.0.0.5']
  }
  await scene(t, plant, { named: { dns: 'fail DOCTOR_DNS_PRIVATE' }, skipped: ['listener'] })
})

t.test('the external address is not that of the name', async (t) => {
  const plant = (world: World) => {
    world.config.sip.external_address = '198.51.100.7'
  }
  await scene(t, plant, { named: { dns: 'fail DOCTOR_DNS_ELSEWHERE' }, skipped: ['listener'] })
})

t.test('the name has an IPv6 address, and nothing listens there', async (t) => {
  const plant = (world: World) => {
    world.system.resolve = async () => [PUBLIC, '2001:db8::10']
    const { dial } = world.system
    world.system.dial = (host, port) =>
      host.includes(':') ? connect(world.publicPort, '127.0.0.1') : dial(host, port)
  }
  await scene(t, plant, { named: { dns: 'warn DOCTOR_DNS_IPV6' } })
})

t.test('DNS does not answer', async (t) => {
  const plant = (world: World) => {
    let asked = 0
    world.system.resolve = async () => {
      // The listener check asks again; by then it is back.
      if (asked++ > 0) return [PUBLIC]
      throw Object.assign(new Error('queryA ETIMEOUT'), { code: 'ETIMEOUT' })
    }
  }
  await scene(t, plant, { named: { dns: 'warn DOCTOR_DNS_SILENT' } })
})

t.test('another server answers under the name', async (t) => {
  const plant = async (world: World) => {
    const server = await tlsServer(world.certificate(60))
    world.defer(() => server.close())
    const address = server.address() as { port: number }
    const { dial } = world.system
    world.system.dial = (host, port) =>
      host === PUBLIC ? connect(address.port, '127.0.0.1') : dial(host, port)
  }
  await scene(t, plant, { named: { listener: 'fail DOCTOR_LISTENER_OTHER' } })
})

t.test('the port is closed from outside', async (t) => {
  const plant = (world: World) => {
    const { dial } = world.system
    // Port 1 of loopback: nobody listens there.
    world.system.dial = (host, port) =>
      host === PUBLIC ? connect(1, '127.0.0.1') : dial(host, port)
  }
  await scene(t, plant, { named: { listener: 'warn DOCTOR_LISTENER_UNREACHABLE' } })
})
