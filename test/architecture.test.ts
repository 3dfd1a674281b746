import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t from 'tap'

/** Who may import whom: a folder of src and the folders it may name. Arrows point one way. */
const arrows: Record<string, string[]> = {
  shared: [],
  config: ['shared'],
  'embedded-drachtio': ['shared'],
  settings: ['shared', 'config'],
  permissions: ['shared', 'config', 'settings'],
  media: ['shared', 'config'],
  'media-relay': ['shared', 'media'],
  webhooks: ['shared', 'config', 'settings'],
  calls: ['shared', 'config', 'media'],
  capture: ['shared', 'config', 'calls'],
  telemetry: ['shared', 'config', 'calls'],
  events: ['shared', 'config', 'calls'],
  routing: ['shared', 'config'],
  bridge: ['shared', 'config', 'settings', 'calls', 'media', 'routing'],
  records: ['shared', 'config', 'calls', 'media', 'events'],
  http: [
    'shared',
    'config',
    'settings',
    'calls',
    'capture',
    'media',
    'routing',
    'bridge',
    'records',
  ],
  doctor: ['shared', 'config', 'settings', 'embedded-drachtio', 'media', 'media-relay', 'bridge'],
  simulator: ['shared', 'embedded-drachtio'],
  pbx: ['shared', 'config', 'routing'],
  app: [
    'shared',
    'config',
    'settings',
    'permissions',
    'embedded-drachtio',
    'calls',
    'media',
    'media-relay',
    'bridge',
    'http',
    'webhooks',
    'events',
    'records',
    'capture',
    'telemetry',
  ],
  cli: [
    'shared',
    'config',
    'settings',
    'permissions',
    'calls',
    'records',
    'capture',
    'media',
    'routing',
    'bridge',
    'http',
    'app',
    'doctor',
    'pbx',
    'simulator',
  ],
}

t.test('imports follow the arrows of the design', async (t) => {
  for (const file of globSync('src/**/*.{ts,js}')) {
    const from = file.split('/')[1]!
    t.ok(from in arrows, `${file} lies in a known folder`)
    const text = readFileSync(file, 'utf8')
    for (const [, path] of text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
      const to = relative('src', join(dirname(file), path!)).split('/')[0]!
      if (to === from || to.startsWith('..')) continue
      t.ok(arrows[from]!.includes(to), `${file} imports ${path}: ${from} may not know ${to}`)
    }
  }
})

t.test('the environment is read in config/ and cli/ alone', async (t) => {
  for (const file of globSync('src/**/*.ts')) {
    if (/^src\/(config|cli)\//.test(file)) continue
    t.notMatch(readFileSync(file, 'utf8'), /process\.env\b/, file)
  }
})
