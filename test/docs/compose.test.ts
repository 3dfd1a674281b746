import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { verbs } from '../../src/cli/verbs/index.ts'
import { parseConfig } from '../../src/config/index.ts'
import { issuesOf } from '../support/config-file.ts'
import { among, count, either, flag, like, misfits, type Shape, text } from '../support/shape.ts'

const duration = like(/^(\d+(h|m|s|ms|us))+$/)
const command = either(text, [text])

/** The keys of the Compose specification that are used here, with what they may hold. */
const SERVICE: Shape = {
  build: { 'context*': text, dockerfile: text },
  'image*': text,
  command,
  entrypoint: command,
  profiles: [text],
  network_mode: like(/^(host|none|bridge|service:\S+)$/),
  restart: among('no', 'always', 'on-failure', 'unless-stopped'),
  depends_on: either([text], {
    '<any>': {
      'condition*': among('service_started', 'service_healthy', 'service_completed_successfully'),
    },
  }),
  stop_grace_period: duration,
  read_only: flag,
  tmpfs: either(text, [text]),
  cap_drop: [text],
  security_opt: [text],
  ulimits: { nofile: count },
  environment: { '<any>': text },
  volumes: [text],
  secrets: [text],
  healthcheck: either(
    { 'disable*': flag },
    { 'test*': [text], interval: duration, timeout: duration, retries: count },
  ),
}

const FILE: Shape = {
  'services*': { '<any>': SERVICE },
  volumes: { '<any>': (value) => value === null },
  secrets: { '<any>': { 'file*': text } },
}

interface Service {
  build?: { context: string; dockerfile: string }
  image: string
  command?: string[]
  entrypoint?: string[]
  network_mode: string
  depends_on?: string[] | Record<string, { condition: string }>
  volumes?: string[]
  secrets?: string[]
  environment?: Record<string, string>
  healthcheck?: object
}

interface Compose {
  services: Record<string, Service>
  volumes?: Record<string, unknown>
  secrets?: Record<string, { file: string }>
}

const files = globSync('docker/compose*.yaml').sort()
const read = (file: string): Compose => parse(readFileSync(file, 'utf8')) as Compose

/** The value a variable has when nobody sets it. */
const byDefault = (value: string): string => value.replace(/\$\{\w+:-([^}]*)\}/g, '$1')

t.test('a shape finds what it is there for', async (t) => {
  const wrong = {
    services: { one: { imag: 'x', network_mode: 'hots', ulimits: { nofile: 'many' } } },
  }
  t.same(misfits(wrong, FILE), [
    'services.one.imag: unknown',
    'services.one.network_mode: "hots"',
    'services.one.ulimits.nofile: "many"',
    'services.one: no image',
  ])
})

for (const file of files) {
  t.test(`${file} has the structure of the Compose specification`, async (t) => {
    t.same(misfits(read(file), FILE), [])
  })

  t.test(`${file} names what exists`, async (t) => {
    const { services, volumes = {}, secrets = {} } = read(file)
    for (const [name, service] of Object.entries(services)) {
      const { build, image, depends_on = [], network_mode = '' } = service
      if (build) {
        const context = normalize(join('docker', build.context))
        t.ok(existsSync(join(context, build.dockerfile)), `${name}: ${context}`)
      }
      const built = Object.values(services).some((other) => other.build && other.image === image)
      t.ok(built || /^\$\{\w+:-/.test(image), `${name}: built here, or of the reader's choice`)
      const others = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)
      const shared = /^service:(.*)/.exec(network_mode)?.[1]
      for (const other of shared ? [...others, shared] : others) t.ok(services[other], other)
      for (const [other, { condition }] of Object.entries(depends_on) as [
        string,
        { condition: string },
      ][]) {
        if (condition === 'service_healthy') t.ok(services[other]?.healthcheck, `${other} is asked`)
      }
      for (const volume of service.volumes ?? []) {
        const [source, target, mode] = byDefault(volume).split(':')
        t.match(target, /^\//)
        if (source! in volumes) continue
        t.equal(mode, 'ro', volume)
        if (!volume.startsWith('${')) t.ok(existsSync(join('docker', source!)), volume)
      }
      for (const secret of service.secrets ?? []) t.ok(secrets[secret], secret)
      const [verb] = service.image.startsWith('causeway:') ? (service.command ?? ['up']) : []
      if (verb) t.ok(verb in verbs, `${name}: causeway ${verb}`)
    }
    const used = Object.values(services).flatMap(({ volumes = [] }) => volumes)
    for (const volume of Object.keys(volumes)) {
      t.ok(
        used.some((one) => one.startsWith(`${volume}:`)),
        `${volume} is used`,
      )
    }
  })

  t.test(`${file} pins its images`, async (t) => {
    for (const [name, { image }] of Object.entries(read(file).services)) {
      if (name === 'asterisk' && image.startsWith('$')) continue
      t.match(byDefault(image), /:[\w.]+$/, name)
      t.notMatch(image, /:latest/, name)
    }
  })
}

t.test('the configuration of each compose file is good and fits it', async (t) => {
  for (const file of files) {
    const { services, secrets = {} } = read(file)
    const { volumes = [], environment = {} } = services['causeway']!
    const source = volumes.find((volume) => volume.includes(':/etc/causeway/causeway.yaml'))!
    const path = join('docker', source.split(':')[0]!)
    const mounted = volumes.map((volume) => byDefault(volume).split(':')[1]!)
    const places = [...mounted, ...Object.keys(secrets).map((name) => `/run/secrets/${name}`)]
    const options = {
      file: '/etc/causeway/causeway.yaml',
      env: environment,
      readFile: (name: string) => {
        if (!places.some((place) => name.startsWith(place))) throw new Error(`no ${name}`)
        return 'x'
      },
    }
    const text = readFileSync(path, 'utf8')
    const { errors, warnings } = issuesOf(text, options)
    t.same(
      [...errors, ...warnings].map(({ message }) => message),
      [],
      path,
    )
    const { config } = parseConfig(text, options)
    t.equal(config.records.path, '/var/lib/causeway', 'what the image has a folder for')
  }
})

t.test('drachtio-server, rtpengine and Causeway agree on their addresses', async (t) => {
  const { services } = read('docker/compose.rtpengine.yaml')
  const { sip, media } = parse(readFileSync('docker/rtpengine/causeway.yaml', 'utf8'))
  const conf = readFileSync('docker/rtpengine/rtpengine.conf', 'utf8')
  const line = services['drachtio']!.command!.join(' ')
  const [, tls] = sip.listen.whatsapp.split('://')
  const [, udp] = sip.listen.pbx[0].split('://')
  t.match(line, `--contact sip:${udp};transport=udp --contact sips:${tls};transport=tls`)
  t.match(line, `--external-ip ${sip.external_address}`)
  const [, admin, port] = /@([\d.]+):(\d+)$/.exec(sip.server)!
  t.match(line, `--address ${admin} --port ${port}`)
  t.equal(
    services['drachtio']!.environment!['DRACHTIO_SECRET'],
    services['causeway']!.environment!['DRACHTIO_SECRET'],
  )
  t.match(conf, `listen-ng = ${media.rtpengine[0].replace('udp://', '')}\n`)
  t.match(conf, `interface = ${udp.split(':')[0]}!${sip.external_address}\n`)
})

t.test('the lab: simulator, Asterisk and Causeway find each other', async (t) => {
  const { services } = read('docker/compose.lab.yaml')
  const { sip, whatsapp, trunks } = parse(readFileSync('docker/lab/causeway.yaml', 'utf8'))
  const pjsip = readFileSync('docker/lab/asterisk/pjsip.conf', 'utf8')
  t.match(pjsip, `bind = ${trunks[0].targets[0].replace('sip:', '')}\n`)
  t.match(pjsip, `contact = sip:${sip.listen.pbx[0].replace('udp://', '')}\n`)
  const [folder] = services['causeway']!.volumes!.filter((volume) => volume.startsWith('lab:'))
  t.equal(dirname(whatsapp.ca), folder!.split(':')[1])
  const simulator = services['whatsapp']!
  const [written] = simulator.volumes!
  t.equal(written, `lab:${simulator.command!.at(-1)}`, 'the certificate goes into the volume')
  for (const [name, { network_mode }] of Object.entries(services)) {
    if (name !== 'whatsapp') t.equal(network_mode, 'service:whatsapp', name)
  }
  const usage = verbs['simulate']!
  t.ok(usage)
  t.match(whatsapp.graph_url, ':18080')
  t.match(whatsapp.sip_proxy, ':15061')
})
