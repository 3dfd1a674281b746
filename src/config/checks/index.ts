import { callingRules } from './calling.ts'
import type { Rule } from './context.ts'
import { mediaRules } from './media.ts'
import { notBuilt } from './not-built.ts'
import { numberRules } from './numbers.ts'
import { permissionRules } from './permissions.ts'
import { recordsRules } from './records.ts'
import { registrationRules } from './registration.ts'
import { sipRules } from './sip.ts'
import { trunkRules } from './trunks.ts'
import { webhookRules } from './webhooks.ts'

export { CheckContext } from './context.ts'

/** Every rule between keys, and every warning about a single one. */
export const rules: readonly Rule[] = [
  ...sipRules,
  ...mediaRules,
  ...numberRules,
  ...callingRules,
  ...trunkRules,
  ...registrationRules,
  ...permissionRules,
  ...webhookRules,
  ...recordsRules,
  notBuilt,
]
