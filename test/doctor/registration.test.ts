import t from 'tap'
import { registration } from '../../src/doctor/checks/registration.ts'
import type { DoctorContext } from '../../src/doctor/context.ts'
import type { InstanceCheck } from '../../src/doctor/instance.ts'
import { Secret } from '../../src/shared/secret.ts'
import { labConfig } from '../support/bridge-lab.ts'
import { trunkConfig } from '../support/configs.ts'

const register = {
  registrars: [
    { uri: 'sip:10.0.0.9', host: '10.0.0.9', port: undefined, transport: 'udp' as const },
  ],
  username: 'causeway',
  authUsername: 'causeway',
  password: new Secret('pw'),
  expires: 300_000,
  contact: 'causeway',
}

/** What the check says where trunk `main` registers and the instance answers this. */
function findings(checks: readonly Partial<InstanceCheck>[] | undefined) {
  const config = labConfig({ trunks: [trunkConfig({ register })] })
  const facts = checks && { url: '', version: '', checks, whatsapp: undefined }
  const instance = { url: '', facts: async () => facts }
  return registration.run({ config, instance } as unknown as DoctorContext)
}

t.test('without a running instance nobody registers', async (t) => {
  t.match(await findings(undefined), [{ verdict: 'skipped', evidence: /only a running instance/ }])
})

t.test('as the instance says', async (t) => {
  const own = { component: 'registration', id: 'main' }
  const output = 'registered with sip:10.0.0.9 for 120 s more'
  t.match(await findings([{ ...own, status: 'pass', output }]), [
    { verdict: 'pass', evidence: output, subject: 'trunk main' },
  ])
  const refused =
    'TRUNK_REGISTER_REFUSED the PBX refuses our registration: sip:10.0.0.9: 403; Make …'
  t.match(await findings([{ ...own, status: 'fail', output: refused }]), [
    {
      verdict: 'fail',
      code: 'TRUNK_REGISTER_REFUSED',
      evidence: /: 403$/,
      fix: /trunks\[\]\.register/,
    },
  ])
  t.match(await findings([{ ...own, status: 'warn', output: 'registering with sip:10.0.0.9' }]), [
    { verdict: 'warn', code: 'DOCTOR_INSTANCE' },
  ])
  t.match(await findings([]), [{ verdict: 'skipped', evidence: /another configuration/ }])
})
