import t from 'tap'
import { metaBye, userTalk } from './support/calls.ts'
import { withLab } from './support/lab.ts'
import { COMMAND, newCertificate, REQUEST, SIGNAL } from './support/reload.ts'

t.test('what cannot be used changes nothing and says why, whichever way it is asked for', (t) =>
  withLab(t, {}, async (lab) => {
    const before = await (await lab.http('/api/v1/config')).text()
    // biome-ignore lint/suspicious/noExplicitAny: a configuration is edited freely
    const faults: [string, (config: any) => void, (config: any) => void][] = [
      [
        'SIP_CERTIFICATE_UNUSABLE',
        (config) => {
          config.sip.tls = { cert: 'cert.pem', key: newCertificate(lab, 'other').key }
        },
        (config) => {
          config.sip.tls = { cert: 'cert.pem', key: 'key.pem' }
        },
      ],
      [
        'CONFIG_SECRET_FILE',
        (config) => {
          config.numbers[0].sip_password_file = 'missing'
        },
        (config) => {
          delete config.numbers[0].sip_password_file
        },
      ],
      [
        'CONFIG_UNKNOWN_KEY',
        (config) => {
          config.limit = {}
        },
        (config) => {
          delete config.limit
        },
      ],
    ]
    for (const [code, spoil, repair] of faults) {
      lab.rewrite((config) => {
        spoil(config)
        config.limits = { calls: 7 }
      })
      const ways = code === 'CONFIG_UNKNOWN_KEY' ? [SIGNAL, COMMAND] : [SIGNAL, REQUEST]
      for (const reload of ways) {
        const result = await reload(lab)
        t.match(result, { ok: false, applied: [], errors: [{ code }] }, code)
        t.ok(result.errors[0]?.place, 'with its place')
      }
      lab.rewrite(repair)
    }
    t.equal(await (await lab.http('/api/v1/config')).text(), before, 'nothing was changed')
    const health = (await (await lab.http('/healthz')).json()) as {
      status: string
      checks: Record<string, object[]>
    }
    t.equal(health.status, 'warn')
    t.match(health.checks['configuration'], [{ status: 'warn', output: /CONFIG_UNKNOWN_KEY/ }])
    t.match(await (await lab.http('/metrics')).text(), 'causeway_last_reload_successful 0')
    await metaBye(lab, await userTalk(lab))
  }),
)
