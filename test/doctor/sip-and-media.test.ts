import { createSocket } from 'node:dgram'
import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { thisSystem } from '../../src/doctor/index.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'
import { makeCa, makeCert, writeCertificate } from '../support/certificates.ts'
import { FakeRtpengine } from '../support/fake-rtpengine.ts'
import { answerSip, bindUdp, freeRange, PUBLIC, scene, tlsServer, type World } from './support.ts'

t.setTimeout(300_000)

t.test('the SIP password is wrong', async (t) => {
  const plant = ({ config }: World) => {
    config.numbers[0].sip_password = 'not the one'
  }
  const results = await scene(t, plant, { named: { credentials: 'fail DOCTOR_PASSWORD_REFUSED' } })
  const { evidence } = results.find(({ id }) => id === 'credentials')!.findings[0]!
  t.equal(evidence, 'sip_password is answered 403 Forbidden: digest verification failed')
})

t.test('the SIP password is proven by SHA-256, too', async (t) => {
  const plant = ({ simulator }: World) => simulator.sip.change({ digest: ['SHA-256'] })
  await scene(t, plant, { named: {} })
})

t.test(
  'WhatsApp answers OPTIONS unchallenged: nothing is proven, and nothing is wrong',
  async (t) => {
    const plant = ({ simulator }: World) => simulator.sip.change({ options: 'answer' })
    await scene(t, plant, { named: {}, skipped: ['credentials'] })
  },
)

t.test('Graph shows no password', async (t) => {
  const plant = ({ number }: World) => {
    // Our name, stored by another app.
    for (const server of number.calling.servers.values()) server.appId = '777'
  }
  await scene(t, plant, { named: { credentials: 'fail SETTINGS_CREDENTIALS_MISSING' } })
})

t.test('a proxy shows its own certificate for wa.meta.vc', async (t) => {
  const plant = async (world: World) => {
    const server = await tlsServer(makeCert({ ca: world.ca, dns: ['proxy.example.net'] }))
    world.defer(() => server.close())
    const { port } = server.address() as AddressInfo
    world.config.whatsapp.sip_proxy = `sip:127.0.0.1:${port};transport=tls`
  }
  await scene(t, plant, {
    named: { 'whatsapp-tls': 'fail DOCTOR_WHATSAPP_CERTIFICATE' },
    skipped: ['credentials'],
  })
})

t.test('something adds ALPN: alert 120', async (t) => {
  const plant = async (world: World) => {
    // A fatal alert in answer to whatever comes first (RFC 8446 §6).
    const alert = Buffer.from([21, 3, 3, 0, 2, 2, 120])
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(alert))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    world.defer(() => server.close())
    const { port } = server.address() as AddressInfo
    world.config.whatsapp.sip_proxy = `sip:127.0.0.1:${port};transport=tls`
  }
  await scene(t, plant, {
    named: { 'whatsapp-tls': 'fail DOCTOR_WHATSAPP_ALPN' },
    skipped: ['credentials'],
  })
})

t.test('WhatsApp’s SIP server is not reached', async (t) => {
  const plant = ({ config }: World) => {
    config.whatsapp.sip_proxy = 'sip:127.0.0.1:1;transport=tls'
  }
  await scene(t, plant, {
    named: { 'whatsapp-tls': 'fail DOCTOR_WHATSAPP_UNREACHABLE' },
    skipped: ['credentials'],
  })
})

t.test('the PBX is down', async (t) => {
  const results = await scene(t, ({ pbx }) => pbx.close(), {
    named: { pbx: 'fail DOCTOR_PBX_SILENT' },
  })
  const { evidence } = results.find(({ id }) => id === 'pbx')!.findings[0]!
  t.equal(evidence, 'nothing listens there on UDP (ECONNREFUSED)')
})

t.test('the PBX has no TCP listener', async (t) => {
  const plant = ({ config }: World) => {
    config.trunks[0].targets = ['sip:127.0.0.1:1;transport=tcp']
  }
  await scene(t, plant, { named: { pbx: 'fail DOCTOR_PBX_SILENT' } })
})

t.test('a PBX behind TCP answers', async (t) => {
  const plant = async (world: World) => {
    const server = createServer(answerSip)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    world.defer(() => server.close())
    const { port } = server.address() as AddressInfo
    world.config.trunks[0].targets = [`sip:127.0.0.1:${port};transport=tcp`]
  }
  const results = await scene(t, plant, { named: {} })
  t.match(results.find(({ id }) => id === 'pbx')!.findings[0]!.evidence, /^200 OK in \d+ ms$/)
})

t.test('a PBX behind TLS answers', async (t) => {
  const plant = async (world: World) => {
    const server = await tlsServer(makeCert({ ca: world.ca, ip: ['127.0.0.1'] }))
    server.on('secureConnection', answerSip)
    world.defer(() => server.close())
    const { port } = server.address() as AddressInfo
    world.config.trunks[0].targets = [`sip:127.0.0.1:${port};transport=tls`]
  }
  const results = await scene(t, plant, { named: {} })
  t.match(results.find(({ id }) => id === 'pbx')!.findings[0]!.evidence, /^200 OK in \d+ ms$/)
})

t.test('a PBX is found by the SRV records of its name', async (t) => {
  const plant = (world: World) => {
    const port = Number(/:(\d+);/.exec(world.pbx.uri)![1])
    world.config.trunks[0].targets = ['sip:pbx.example.com']
    world.config.trunks[0].accept = { from: ['127.0.0.1/32'] }
    world.system.services = async (name) =>
      name === '_sip._udp.pbx.example.com' ? [{ name: '127.0.0.1', port }] : []
  }
  await scene(t, plant, { named: {} })
})

t.test('what listens at the PBX’s port is no SIP', async (t) => {
  const plant = async (world: World) => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    world.defer(() => server.close())
    const { port } = server.address() as AddressInfo
    world.config.trunks[0].targets = [`sip:127.0.0.1:${port};transport=tcp`]
  }
  await scene(t, plant, { named: { pbx: 'fail DOCTOR_PBX_SILENT' } })
})

t.test('the PBX answers 503', async (t) => {
  const plant = ({ pbx }: World) => {
    pbx.status = '503 Service Unavailable'
  }
  await scene(t, plant, { named: { pbx: 'warn DOCTOR_PBX_TROUBLE' } })
})

t.test('a PBX that refuses OPTIONS is alive', async (t) => {
  const plant = ({ pbx }: World) => {
    pbx.status = '404 Not Found'
  }
  await scene(t, plant, { named: {} })
})

t.test('the certificate of the PBX is for another host', async (t) => {
  const plant = async (world: World) => {
    const server = await tlsServer(makeCert({ ca: world.ca, dns: ['pbx.example.net'] }))
    world.defer(() => server.close())
    const { port } = server.address() as AddressInfo
    world.config.trunks[0].targets = [`sip:127.0.0.1:${port};transport=tls`]
  }
  await scene(t, plant, { named: { pbx: 'fail DOCTOR_PBX_TLS' } })
})

for (const [name, files, named, evidence] of [
  ['is shown its client certificate', true, {}, /^200 OK in \d+ ms$/],
  ['has a private authority nobody named', false, { pbx: 'fail DOCTOR_PBX_TLS' }, /^for 127/],
] as const) {
  t.test(`a PBX that ${name}`, async (t) => {
    const ca = makeCa('of the PBX')
    const plant = async (world: World) => {
      const own = makeCert({ ca, dns: ['pbx.example.net'] })
      const asking = { ca: ca.cert, requestCert: true, rejectUnauthorized: true }
      const server = await tlsServer({ ...own, ...asking })
      server.on('secureConnection', answerSip)
      world.defer(() => server.close())
      const { port } = server.address() as AddressInfo
      const client = writeCertificate(makeCert({ ca, name: 'causeway' }))
      const anchors = join(client.cert, '..', 'ca.pem')
      writeFileSync(anchors, ca.cert)
      const { trunks } = world.config
      trunks[0].targets = [`sip:127.0.0.1:${port};transport=tls`]
      trunks[0].tls = files
        ? { cert: client.cert, key: client.key, ca: anchors, server_name: 'pbx.example.net' }
        : { server_name: 'pbx.example.net' }
    }
    const results = await scene(t, plant, { named })
    t.match(results.find(({ id }) => id === 'pbx')!.findings[0]!.evidence, evidence)
  })
}

t.test('number and trunk have no codec in common, and nothing converts', async (t) => {
  const plant = ({ config }: World) => {
    config.trunks[0].media.codecs = ['PCMA']
    config.media.transcoding = 0
  }
  await scene(t, plant, { named: { codecs: 'fail DOCTOR_CODEC_MISFIT' } })
})

t.test('without a relay the trunk needs SDES', async (t) => {
  const plant = ({ config }: World) => {
    config.media = { relay: 'none' }
  }
  await scene(t, plant, {
    named: { 'trunk-srtp': 'fail DOCTOR_SRTP_TRUNK' },
    skipped: ['media-address', 'media-ports'],
  })
})

t.test('no port is free', async (t) => {
  const plant = async (world: World) => {
    const range = await freeRange(20)
    world.config.media.ports = range
    world.system.bindable = thisSystem.bindable
    for (let port = Number(range.split('-')[0]); port < Number(range.split('-')[1]); port += 2) {
      // One that somebody took meanwhile is in use all the same.
      const socket = await bindUdp(port).catch(() => undefined)
      world.defer(() => socket?.close())
    }
  }
  const results = await scene(t, plant, { named: { 'media-ports': 'fail DOCTOR_PORTS_NONE' } })
  const { evidence } = results.find(({ id }) => id === 'media-ports')!.findings[0]!
  t.match(evidence, /^\d+-\d+: in use are \d+, \d+.* and \d+ more$/)
})

t.test('another program has some of the ports', async (t) => {
  const taken: number[] = []
  const plant = async (world: World) => {
    const min = Number(world.config.media.ports.split('-')[0])
    taken.push(min + 3, min + 9)
    world.system.udpPorts = async () => new Set([53, ...taken])
  }
  const results = await scene(t, plant, { named: { 'media-ports': 'warn DOCTOR_PORTS_TAKEN' } })
  const { evidence } = results.find(({ id }) => id === 'media-ports')!.findings[0]!
  t.match(evidence, `in use: ${taken.join(', ')};`)
})

t.test('SDP says a private address', async (t) => {
  const plant = ({ config }: World) => {
    config.media.external_address = '10.0.0.5'
  }
  await scene(t, plant, {
    named: { 'media-address': 'fail DOCTOR_MEDIA_ADDRESS' },
    skipped: ['media-ports'],
  })
})

t.test('media.listen is no address of this machine', async (t) => {
  const plant = ({ config }: World) => {
    config.media.listen = '10.99.99.99'
  }
  await scene(t, plant, {
    named: { 'media-address': 'fail MEDIA_LISTEN' },
    skipped: ['media-ports'],
  })
})

/** A STUN server that sees everybody at one address. */
async function reflector(world: World, address: string): Promise<void> {
  const socket = createSocket('udp4')
  socket.on('message', (request, from) => {
    const answer = Buffer.alloc(32)
    answer.writeUInt16BE(0x0101, 0)
    answer.writeUInt16BE(12, 2)
    request.copy(answer, 4, 4, 20)
    answer.writeUInt16BE(0x0020, 20)
    answer.writeUInt16BE(8, 22)
    answer[25] = 1
    answer.writeUInt16BE(from.port ^ 0x2112, 26)
    const cookie = [0x21, 0x12, 0xa4, 0x42]
    address.split('.').forEach((part, index) => {
      answer[28 + index] = Number(part) ^ cookie[index]!
    })
    socket.send(answer, from.port, from.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  world.defer(() => socket.close())
  world.options.stun = { host: '127.0.0.1', port: socket.address().port }
}

t.test('the reflector sees us where SDP says', async (t) => {
  await scene(t, (world) => reflector(world, PUBLIC), { named: {}, speaks: ['udp'] })
})

t.test('the reflector sees us elsewhere', async (t) => {
  const results = await scene(t, (world) => reflector(world, '198.51.100.7'), {
    named: { udp: 'fail DOCTOR_EXTERNAL_ADDRESS' },
    speaks: ['udp'],
  })
  const { evidence } = results.find(({ id }) => id === 'udp')!.findings[0]!
  t.match(evidence, /sees us as 198\.51\.100\.7, SDP says 203\.0\.113\.10$/)
})

t.test('a real worker of the embedded relay starts and ends', async (t) => {
  const plant = ({ options }: World) => {
    delete options.startRelay
  }
  await scene(t, plant, { named: {} })
})

t.test('the embedded relay does not start', async (t) => {
  const plant = ({ options }: World) => {
    options.startRelay = async () => {
      throw new CausewayError('MEDIA_RELAY_LOST', { detail: 'media-0: the thread ended' })
    }
  }
  await scene(t, plant, { named: { relay: 'fail MEDIA_RELAY_LOST' } })
})

t.test('the rtpengine is dead', async (t) => {
  const plant = async ({ config }: World) => {
    const gone = await FakeRtpengine.start()
    config.media = { relay: 'rtpengine', rtpengine: [gone.address] }
    await gone.stop()
  }
  await scene(t, plant, {
    named: { relay: 'fail DOCTOR_RTPENGINE' },
    skipped: ['media-address', 'media-ports'],
  })
})

t.test('one of two rtpengines is dead', async (t) => {
  const plant = async (world: World) => {
    const [gone, alive] = [await FakeRtpengine.start(), await FakeRtpengine.start()]
    world.config.media = { relay: 'rtpengine', rtpengine: [gone.address, alive.address] }
    await gone.stop()
    world.defer(() => alive.stop())
  }
  await scene(t, plant, {
    named: { relay: 'warn DOCTOR_RTPENGINE' },
    skipped: ['media-address', 'media-ports'],
  })
})

t.test('the disk is full', async (t) => {
  const plant = ({ system }: World) => {
    system.space = async () => ({ free: 20 * 2 ** 20, total: 2 ** 40 })
  }
  await scene(t, plant, { named: { disk: 'fail DOCTOR_DISK_LOW' } })
})

t.test('records cannot be written', async (t) => {
  const plant = ({ system }: World) => {
    system.writable = async () => false
  }
  await scene(t, plant, { named: { disk: 'fail DOCTOR_DISK_UNWRITABLE' } })
})

t.test('too few files may be open', async (t) => {
  const plant = ({ system }: World) => {
    system.openFiles = async () => 24
  }
  await scene(t, plant, { named: { 'open-files': 'fail DOCTOR_OPEN_FILES' } })
})

t.test('anybody may pretend to be WhatsApp', async (t) => {
  const plant = ({ config }: World) => {
    config.whatsapp.sources = 'any'
    config.whatsapp.challenge = false
  }
  await scene(t, plant, { named: { config: 'warn CONFIG_UNGUARDED' } })
})
