import { callingRules } from './calling.ts'
import type { Rule } from './context.ts'
import { mediaRules } from './media.ts'
import { numberRules } from './numbers.ts'
import { permissionRules } from './permissions.ts'
import { presentationRules } from './presentation.ts'
import { recordsRules } from './records.ts'
import { registrationRules } from './registration.ts'
import { routeRules } from './routes.ts'
import { sipRules } from './sip.ts'
import { targetRules } from './targets.ts'
import { traceRules } from './trace.ts'
import { trunkRules } from './trunks.ts'
import { webhookRules } from './webhooks.ts'

export { CheckContext } from './context.ts'

/** Every rule between keys, and every warning about a single one. */
export const rules: readonly Rule[] = [
  ...sipRules,
  ...mediaRules,
  ...numberRules,
  ...routeRules,
  ...callingRules,
  ...trunkRules,
  ...targetRules,
  ...registrationRules,
  ...presentationRules,
  ...permissionRules,
  ...webhookRules,
  ...recordsRules,
  ...traceRules,
]
