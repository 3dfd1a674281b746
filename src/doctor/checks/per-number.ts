import type { NumberConfig } from '../../config/types.ts'
import type { DesiredCalling, Reconciliation } from '../../settings/index.ts'
import { desiredCalling, desiredContext } from '../../settings/index.ts'
import type { DoctorContext } from '../context.ts'
import { skip } from '../finding.ts'
import type { Check, Finding } from '../types.ts'

/** A number whose settings could be read. */
export interface ReadNumber {
  number: NumberConfig
  /** `number support` */
  subject: string
  settings: Reconciliation
  desired: DesiredCalling
}

/** Builds a check that looks at the settings of each number; those that cannot be read are skipped. */
export function numberCheck(
  about: Pick<Check, 'id' | 'title'>,
  judge: (
    number: ReadNumber,
    context: DoctorContext,
  ) => Finding | readonly Finding[] | Promise<Finding | readonly Finding[]>,
): Check {
  return {
    ...about,
    area: 'Graph API and settings',
    needs: [],
    async run(context) {
      const { config, graph } = context
      if (config.numbers.length === 0) return [skip('no numbers are configured')]
      const all = config.numbers.map(async (number) => {
        const subject = `number ${number.name}`
        const { settings } = await graph.settings(number)
        if (!settings) return skip('its settings cannot be read: see token', subject)
        const desired = desiredCalling(number, desiredContext(config))
        return judge({ number, subject, settings, desired }, context)
      })
      return (await Promise.all(all)).flat()
    },
  }
}
