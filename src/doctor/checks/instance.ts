import { pass, problem, skip } from '../finding.ts'
import type { Check } from '../types.ts'

/** Components of the instance's health that other checks look at themselves. */
const ELSEWHERE = new Set(['number', 'trunk', 'registration', 'registrar', 'certificate', 'relay'])

/** What only the running instance knows. */
export const instance: Check = {
  id: 'instance',
  area: 'Configuration',
  title: 'the running instance is healthy',
  needs: [],
  async run({ instance }) {
    const facts = await instance.facts()
    if (!facts) {
      return [
        skip(
          instance.url === undefined
            ? 'http.listen leaves the port to the system: name the instance with --url'
            : `none answers at ${instance.url}; the other checks work alone`,
        ),
      ]
    }
    const trouble = facts.checks.filter(
      ({ component, status }) => status !== 'pass' && !ELSEWHERE.has(component),
    )
    if (trouble.length === 0) return [pass(`causeway ${facts.version} at ${facts.url}`)]
    return trouble.map(({ component, id, status, output }) =>
      problem(status === 'fail' ? 'fail' : 'warn', 'DOCTOR_INSTANCE', {
        subject: `${component} ${id}`,
        evidence: output,
      }),
    )
  },
}
