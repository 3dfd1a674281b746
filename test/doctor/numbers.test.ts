import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PATIENT, scene, type World } from './support.ts'

/** Checks that need the settings of the number. */
const OF_SETTINGS = [
  'call-button',
  'calling',
  'key-exchange',
  'messaging-limit',
  'restrictions',
  'settings',
  'sip-server',
]

t.setTimeout(300_000)

t.test('the token is refused', async (t) => {
  const plant = ({ config }: World) => {
    config.numbers[0].access_token = 'another'
  }
  await scene(t, plant, {
    named: { token: 'fail SETTINGS_GRAPH_190' },
    skipped: [...OF_SETTINGS, 'credentials'],
  })
})

t.test('the token may not manage the number', async (t) => {
  const plant = ({ simulator }: World) =>
    simulator.graph.faults.inject({ path: '/settings', status: 403, code: 10, count: 2 })
  await scene(t, plant, {
    named: { token: 'fail SETTINGS_GRAPH_10' },
    skipped: [...OF_SETTINGS, 'credentials'],
  })
})

t.test('the token does not see the number', async (t) => {
  const plant = ({ config }: World) => {
    config.numbers[0].phone_number_id = '106540352242999'
  }
  await scene(t, plant, {
    named: { token: 'fail SETTINGS_GRAPH_100_33' },
    skipped: [...OF_SETTINGS, 'credentials'],
  })
})

t.test('Graph is not reached', async (t) => {
  const plant = ({ config }: World) => {
    config.whatsapp.graph_url = 'http://127.0.0.1:1'
  }
  await scene(t, plant, {
    named: { token: 'fail SETTINGS_UNREACHABLE' },
    skipped: [...OF_SETTINGS, 'clock', 'credentials'],
  })
})

t.test('the app lacks the messaging permission', async (t) => {
  const plant = ({ number }: World) => {
    for (const app of number.apps.values()) app.messaging = false
  }
  const results = await scene(t, plant, { named: { token: 'fail DOCTOR_TOKEN_SCOPE' } })
  const { evidence } = results.find(({ id }) => id === 'token')!.findings[0]!
  t.equal(evidence, 'whatsapp_business_messaging not granted')
})

t.test('the number is untouched', async (t) => {
  const plant = ({ number }: World) => {
    number.calling.servers.clear()
    number.calling.status = 'DISABLED'
    number.calling.sipStatus = 'DISABLED'
    number.calling.srtp = undefined
  }
  const results = await scene(t, plant, {
    named: { calling: 'fail SETTINGS_GRAPH_138024' },
    skipped: ['credentials', 'key-exchange', 'sip-server'],
  })
  const { fix } = results.find(({ id }) => id === 'calling')!.findings[0]!
  t.match(fix, /^Start Causeway/)
})

t.test('SIP is disabled on the number', async (t) => {
  const plant = ({ number }: World) => {
    number.calling.sipStatus = 'DISABLED'
  }
  const results = await scene(t, plant, { named: { calling: 'fail SETTINGS_GRAPH_138024' } })
  const { evidence } = results.find(({ id }) => id === 'calling')!.findings[0]!
  t.equal(evidence, 'status ENABLED, sip.status DISABLED; health status 138024')
})

t.test('no server is stored', async (t) => {
  const plant = ({ number }: World) => number.calling.servers.clear()
  await scene(t, plant, {
    named: { calling: 'fail SETTINGS_GRAPH_138025' },
    skipped: ['credentials', 'sip-server'],
  })
})

t.test('another app has a server on the number, too', async (t) => {
  const plant = (world: World) => world.storeServer('777', 'old.example.net')
  const results = await scene(t, plant, { named: { 'sip-server': 'warn SETTINGS_FOREIGN_SERVER' } })
  const { evidence, fix } = results.find(({ id }) => id === 'sip-server')!.findings[0]!
  t.equal(evidence, 'beside ours: old.example.net (app 777)')
  t.match(fix, /^With the token of app 777/)
})

t.test('the host of From is not the stored server', async (t) => {
  const plant = (world: World) => {
    const { servers } = world.number.calling
    for (const server of servers.values()) server.hostname = 'pbx.example.net'
  }
  await scene(t, plant, {
    named: { 'sip-server': 'fail DOCTOR_FROM_HOST' },
    skipped: ['credentials'],
  })
})

t.test('the key exchange was reset to DTLS', async (t) => {
  const plant = ({ number }: World) => {
    number.calling.srtp = undefined
  }
  await scene(t, plant, { named: { 'key-exchange': 'warn DOCTOR_SRTP_MISFIT' } })
})

t.test('the number is on DTLS and nothing relays', async (t) => {
  const plant = ({ number, config }: World) => {
    number.calling.srtp = 'DTLS'
    config.media = { relay: 'none' }
    config.trunks[0].media.srtp = 'sdes'
  }
  await scene(t, plant, {
    named: { 'key-exchange': 'fail DOCTOR_SRTP_MISFIT' },
    skipped: ['media-address', 'media-ports'],
  })
})

t.test('the settings differ', async (t) => {
  const plant = ({ config }: World) => {
    config.numbers[0].calling.audio = { additional_codecs: ['PCMA'] }
  }
  const results = await scene(t, plant, { named: { settings: 'warn SETTINGS_DRIFT' } })
  const { evidence } = results.find(({ id }) => id === 'settings')!.findings[0]!
  t.match(evidence, /^calling\.audio\.additional_codecs: \[\] → \["PCMA"\]$/)
})

t.test('calling is restricted', async (t) => {
  const plant = ({ number }: World) => {
    number.restrictions.push({
      type: 'RESTRICTED_USER_INITIATED_CALLING',
      reason: 'low pickup rate',
      expiration: 2_000_000_000,
    })
  }
  const results = await scene(t, plant, { named: { restrictions: 'fail SETTINGS_RESTRICTED' } })
  const { evidence } = results.find(({ id }) => id === 'restrictions')!.findings[0]!
  t.match(evidence, /low pickup rate until 2033-05-18T03:33:20\.000Z$/)
})

t.test('the quality rating is low', async (t) => {
  const plant = ({ number }: World) => {
    number.quality = 'RED'
  }
  await scene(t, plant, { named: { restrictions: 'warn DOCTOR_QUALITY' } })
})

t.test('the call button is hidden', async (t) => {
  const plant = ({ number }: World) => {
    number.calling.other['call_icon_visibility'] = 'DISABLE_ALL'
  }
  await scene(t, plant, { named: { 'call-button': 'warn DOCTOR_CALL_BUTTON' } })
})

t.test('the messaging limit does not allow calling to be enabled', async (t) => {
  const plant = ({ number }: World) => {
    number.messagingLimit = 250
    number.calling.status = 'DISABLED'
  }
  await scene(t, plant, {
    named: { 'messaging-limit': 'fail DOCTOR_MESSAGING_LIMIT' },
    skipped: ['calling', 'key-exchange'],
  })
})

t.test('the messaging limit has fallen while calling is on', async (t) => {
  const plant = ({ number }: World) => {
    number.messagingLimit = 1000
  }
  await scene(t, plant, { named: { 'messaging-limit': 'warn DOCTOR_MESSAGING_LIMIT' } })
})

t.test('the number’s country has no business-initiated calls', async (t) => {
  const plant = (world: World) => {
    world.config.numbers[0].phone_number = '+12025550123'
    // SIP credentials and From are of the American number, which the simulator does not know.
    world.simulator.sip.change({ options: 'answer' })
  }
  await scene(t, plant, {
    named: { country: 'warn DOCTOR_COUNTRY' },
    skipped: ['credentials'],
  })
})

t.test('webhooks cannot be verified', async (t) => {
  const plant = ({ config }: World) => {
    config.whatsapp.webhooks = { path: '/webhooks/whatsapp', verify_token: 'v' }
  }
  const results = await scene(t, plant, {
    named: { webhooks: 'fail DOCTOR_WEBHOOK_SECRET' },
    speaks: ['webhooks'],
  })
  const { evidence } = results.find(({ id }) => id === 'webhooks')!.findings[0]!
  t.equal(evidence, 'whatsapp.webhooks lacks app_secret')
})

t.test('webhooks stopped when SIP was enabled', async (t) => {
  const plant = ({ config }: World) => {
    config.whatsapp.webhooks = { path: '/webhooks/whatsapp', verify_token: 'v', app_secret: 's' }
  }
  await scene(t, plant, {
    named: { webhooks: 'warn DOCTOR_WEBHOOK_DELIVERY' },
    speaks: ['webhooks'],
  })
})

t.test('the clock is two minutes ahead', async (t) => {
  const plant = ({ options }: World) => {
    options.clock = { ...PATIENT, now: () => Date.now() + 120_000 }
  }
  const results = await scene(t, plant, { named: { clock: 'warn DOCTOR_CLOCK_SKEW' } })
  const { evidence } = results.find(({ id }) => id === 'clock')!.findings[0]!
  t.match(evidence, /^1[12345]\d s ahead of Graph’s time$/)
})

t.test('360dialog: what its API does not tell is no fault', async (t) => {
  const plant = ({ config, simulator }: World) => {
    config.whatsapp.provider = '360dialog'
    simulator.graph.modes.dialect = '360dialog'
  }
  const results = await scene(t, plant, { named: {} })
  const evidence = (id: string) => results.find((one) => one.id === id)!.findings[0]!.evidence
  t.equal(evidence('calling'), 'on; this provider has no health status')
  t.equal(evidence('messaging-limit'), 'Graph does not tell it')
})

t.test('the lower-case spelling of the v23 mirror is no fault', async (t) => {
  const plant = ({ simulator }: World) => {
    simulator.graph.modes.dialect = 'v23'
  }
  await scene(t, plant, { named: {} })
})

t.test('the additional trust anchor is no PEM', async (t) => {
  const plant = ({ folder }: World) => writeFileSync(join(folder, 'ca.pem'), 'no certificate')
  await scene(t, plant, {
    named: { config: 'fail SETTINGS_CA_UNREADABLE' },
    skipped: [...OF_SETTINGS, 'certificate', 'clock', 'credentials', 'token', 'whatsapp-tls'],
  })
})

t.test('the additional trust anchor is not there', async (t) => {
  const plant = ({ folder }: World) => rmSync(join(folder, 'ca.pem'))
  await scene(t, plant, {
    named: { config: 'fail SETTINGS_CA_UNREADABLE' },
    skipped: [...OF_SETTINGS, 'certificate', 'clock', 'credentials', 'token', 'whatsapp-tls'],
  })
})

t.test('many numbers are asked for a few at a time', async (t) => {
  const plant = ({ config, simulator }: World) => {
    const [first] = config.numbers
    for (let n = 0; n < 20; n++) {
      const phone_number = `+4416329602${String(n).padStart(2, '0')}`
      const number = { ...first, name: `n${n}`, phone_number, phone_number_id: `9${n}` }
      config.numbers.push({ ...number, inbound: { trunk: 'main' } })
    }
    simulator.graph.faults.inject({ path: '/settings', delay: 20, count: 21 })
  }
  const results = await scene(t, plant, {
    named: { token: Array(20).fill('fail SETTINGS_GRAPH_100_33').join(', ') },
  })
  const token = results.find(({ id }) => id === 'token')!
  t.equal(token.findings[0]?.verdict, 'pass', 'one number that can be read is judged all the same')
})
