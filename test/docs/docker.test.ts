import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { issuesOf } from '../support/config-file.ts'

interface Service {
  build?: { context: string; dockerfile: string }
  image: string
  network_mode: string
  volumes: string[]
  secrets?: string[]
  stop_grace_period?: string
}

interface Compose {
  services: Record<string, Service>
  volumes: Record<string, unknown>
  secrets: Record<string, { file: string }>
}

const dockerfile = readFileSync('docker/Dockerfile', 'utf8')
const compose = parse(readFileSync('docker/compose.yaml', 'utf8')) as Compose
/** Instructions, with continued lines joined. */
const instructions = dockerfile
  .replace(/\\\n/g, '')
  .split('\n')
  .filter((line) => /^[A-Z]/.test(line))

t.test('what the image copies exists and is sent to the builder', async (t) => {
  const sent = readFileSync('docker/Dockerfile.dockerignore', 'utf8').split('\n')
  const copies = instructions.filter((line) => /^COPY (?!--from)/.test(line))
  t.ok(copies.length >= 4)
  for (const line of copies) {
    for (const source of line.split(/\s+/).slice(1, -1)) {
      t.ok(existsSync(source), source)
      t.ok(sent.includes(`!${source.split('/')[0]}`), `${source} passes the ignore file`)
    }
  }
})

t.test('the image runs the launcher of the package, as a user without rights', async (t) => {
  const entry = JSON.parse(instructions.find((line) => line.startsWith('ENTRYPOINT'))!.slice(11))
  const { bin, engines } = JSON.parse(readFileSync('package.json', 'utf8'))
  t.equal(entry.at(-1), join('/app', bin.causeway))
  t.ok(instructions.includes('USER node'))
  for (const [, major] of dockerfile.matchAll(/^FROM node:(\d+)/gm)) {
    t.equal(engines.node, `>=${major}`, 'the base is the Node that engines asks for')
  }
  const check = instructions.find((line) => line.startsWith('HEALTHCHECK'))!
  t.match(check, /127\.0\.0\.1:8080\/livez/, 'the default of http.listen')
})

t.test('the image has every package that the program imports', async (t) => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  t.match(dockerfile, /npm ci --omit=dev/)
  const imported = new Set<string>()
  for (const file of globSync('src/**/*.ts')) {
    const text = readFileSync(file, 'utf8').replace(/^import type .*$/gm, '')
    for (const [, name] of text.matchAll(/ from '((?:@[\w-]+\/)?[a-z][\w.-]*)/g)) {
      imported.add(name!)
    }
  }
  imported.delete('node')
  t.ok(imported.size > 5)
  for (const name of imported) t.ok(name in dependencies, name)
})

t.test('everything the compose file names exists', async (t) => {
  for (const [name, { build, volumes, secrets, network_mode }] of Object.entries(
    compose.services,
  )) {
    t.equal(network_mode, 'host', name)
    if (build) {
      const context = normalize(join('docker', build.context))
      t.ok(existsSync(join(context, build.dockerfile)), build.dockerfile)
    }
    for (const volume of volumes) {
      const [source, target, mode] = volume.replace(/\$\{\w+:-([^}]+)\}/, '$1').split(':')
      if (source! in compose.volumes) {
        const folder = parse(readFileSync('docker/causeway.yaml', 'utf8')).records.path
        t.equal(target, folder, 'what is kept is kept in a volume')
        t.match(
          dockerfile,
          new RegExp(`install -d -o node .*${folder}$`, 'm'),
          'which node may write',
        )
        continue
      }
      t.equal(mode, 'ro', volume)
      t.match(target, /^\/etc\//)
      // The certificate is the reader's own.
      if (!volume.startsWith('${TLS_DIR')) t.ok(existsSync(join('docker', source!)), volume)
    }
    for (const secret of secrets ?? []) t.ok(compose.secrets[secret], secret)
  }
})

t.test('the configuration of the compose file is good and fits it', async (t) => {
  const text = readFileSync('docker/causeway.yaml', 'utf8')
  const { errors, warnings } = issuesOf(text, {
    file: '/etc/causeway/causeway.yaml',
    readFile: (path) => {
      const mounted = compose.services['causeway']!.volumes.map(
        (volume) => volume.split(':').at(-2)!,
      )
      const secrets = Object.keys(compose.secrets).map((name) => `/run/secrets/${name}`)
      const known = [...mounted, ...secrets].some((place) => path.startsWith(place))
      if (!known) throw new Error(`${path} is not in the container`)
      return 'x'
    },
  })
  t.same(
    [...errors, ...warnings].map((issue) => issue.message),
    [],
  )
  const pjsip = readFileSync('docker/asterisk/pjsip.conf', 'utf8')
  const { sip, trunks } = parse(text)
  t.match(pjsip, `contact = sip:${sip.listen.pbx[0].replace('udp://', '')}`)
  t.match(pjsip, `bind = ${trunks[0].targets[0].replace('sip:', '')}`)
})

/** Instructions of a Dockerfile, with continued lines joined. */
const instructionsOf = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .replace(/\\\n/g, '')
    .split('\n')
    .filter((line) => /^[A-Z]/.test(line))

for (const file of globSync('docker/**/Dockerfile')) {
  t.test(`${file} keeps the rules of small images`, async (t) => {
    const lines = instructionsOf(file)
    const of = (name: string): string[] => lines.filter((line) => line.startsWith(`${name} `))
    for (const line of of('FROM')) t.match(line, /^FROM [\w./-]+:[\w.-]*\d[\w.-]*( AS \w+)?$/, line)
    t.equal(of('ENTRYPOINT').length, 1, 'one process')
    for (const line of [...of('ENTRYPOINT'), ...of('CMD')]) {
      t.ok(Array.isArray(JSON.parse(line.slice(line.indexOf('[')))), 'no shell is process 1')
    }
    const users = of('USER')
    t.notMatch(users.at(-1) ?? 'USER root', /^USER (root|0)\b/, 'not as root')
    t.same(of('ADD'), [], 'COPY says what it does')
    t.same(of('MAINTAINER'), [])
    t.notMatch(lines.join('\n'), /\bsudo\b|apt-get (dist-)?upgrade|:latest/)
    for (const line of of('RUN')) {
      if (line.includes('apt-get install')) {
        t.match(line, /apt-get update\s+&& apt-get install -y --no-install-recommends/)
        t.match(line, /&& rm -rf \/var\/lib\/apt\/lists\/\*/, 'no package lists stay')
      }
      if (/\bapk add\b/.test(line)) t.match(line, /apk add --no-cache/)
      if (/\bnpm ci\b/.test(line) && !line.includes('--ignore-scripts')) {
        t.match(line, /npm cache clean/, 'no package cache stays')
      }
    }
    for (const line of of('WORKDIR')) t.match(line, /^WORKDIR \//)
  })
}
