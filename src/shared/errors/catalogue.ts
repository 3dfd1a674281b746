import { appErrors } from './app.ts'
import { appPbxErrors } from './app-pbx.ts'
import { callErrors } from './call.ts'
import { configErrors } from './config.ts'
import type { ErrorDefinition } from './definition.ts'
import { doctorErrors } from './doctor.ts'
import { doctorCallErrors } from './doctor-calls.ts'
import { lifecycleErrors } from './lifecycle.ts'
import { mediaErrors } from './media.ts'
import { permissionErrors } from './permissions.ts'
import { recordErrors } from './records.ts'
import { registrationErrors } from './registration.ts'
import { registrationConfigErrors } from './registration-config.ts'
import { relayErrors } from './relay.ts'
import { configRoutingErrors, routingCallErrors } from './routing.ts'
import { settingsErrors } from './settings.ts'
import { sipErrors } from './sip.ts'
import { sipRefusedErrors } from './sip-refused.ts'
import { targetErrors } from './targets.ts'
import { tracingErrors } from './tracing.ts'
import { webhookErrors } from './webhooks.ts'

/** Every coded error and warning of Causeway. `docs/reference/errors.md` is generated from it. */
export const catalogue = {
  ...appErrors,
  ...appPbxErrors,
  ...callErrors,
  ...configErrors,
  ...doctorErrors,
  ...doctorCallErrors,
  ...lifecycleErrors,
  ...mediaErrors,
  ...permissionErrors,
  ...registrationErrors,
  ...registrationConfigErrors,
  ...recordErrors,
  ...relayErrors,
  ...configRoutingErrors,
  ...routingCallErrors,
  ...settingsErrors,
  ...sipErrors,
  ...sipRefusedErrors,
  ...targetErrors,
  ...tracingErrors,
  ...webhookErrors,
}

/** A stable error code. */
export type ErrorCode = keyof typeof catalogue & string

/** The catalogue row of a code. */
export function definitionOf(code: ErrorCode): ErrorDefinition {
  return catalogue[code]
}
