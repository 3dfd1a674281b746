import { catalogue, type ErrorCode } from '../../shared/errors/index.ts'
import { pass, problem, skip } from '../finding.ts'
import type { InstanceFacts } from '../instance.ts'
import type { Check, Finding } from '../types.ts'

/**
 * Registrations with PBXs and of PBXs. A registration of our own would take the place of the running
 * one at the PBX, so that only the instance is asked.
 */
export const registration: Check = {
  id: 'registration',
  area: 'PBX',
  title: 'registrations are up',
  needs: [],
  async run({ config, instance }) {
    const wanted = config.trunks.flatMap(({ name, register, accept }) => [
      ...(register ? [{ component: 'registration', name }] : []),
      ...(accept.registrations ? [{ component: 'registrar', name }] : []),
    ])
    if (wanted.length === 0) return [skip('no trunk registers or is registered')]
    const facts = await instance.facts()
    if (!facts) return [skip('only a running instance registers, and none answers')]
    return wanted.map(({ component, name }) => judge(facts, component, name))
  },
}

function judge({ checks }: InstanceFacts, component: string, name: string): Finding {
  const subject = `trunk ${name}`
  const found = checks.find((one) => one.component === component && one.id === name)
  if (!found) return skip('the running instance has another configuration', subject)
  const { status, output } = found
  if (status === 'pass') return pass(output, subject)
  // The instance names the code and, behind a semicolon, the catalogue's fix.
  const [evidence = ''] = output.split('; ')
  return problem(status, codeIn(output), { subject, evidence })
}

function codeIn(output: string): ErrorCode {
  const code = /\bTRUNK_[A-Z_]+/.exec(output)?.[0] ?? ''
  return code in catalogue ? (code as ErrorCode) : 'DOCTOR_INSTANCE'
}
