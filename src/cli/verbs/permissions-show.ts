import {
  type CallPermission,
  judgeCall,
  judgeRequest,
  type PermissionAction,
} from '../../permissions/index.ts'
import { CONFIG_OPTION, CONFIG_USAGE, loadAndWarn } from '../load.ts'
import { permissionLines } from '../permission-lines.ts'
import { type Pair, readPair, withPermissions } from '../permissions.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway permissions show`. */
export const verb: Verb = {
  name: 'permissions show',
  summary: 'whether a consumer may be called, and until when',
  usage: `Usage: causeway permissions show NUMBER CONSUMER [-c FILE] [--json]

Asks WhatsApp what a consumer permits a business number: the state of the
permission and its end, the connected calls and permission requests used of
those allowed, and what may be done now. Nothing is sent to the consumer; no
running instance is needed.

NUMBER is a name or phone number of the configuration, CONSUMER a phone number
or a user ID (FR.1349…).

Options:
${CONFIG_USAGE}
      --json          { number, phone_number, consumer, permission, call,
                      request }, times in ISO 8601

Exit codes: 0 may be called now, 2 may not, 1 WhatsApp could not be asked.

Example:
  causeway permissions show support +33199001234
`,

  async run(args, io) {
    const { values, positionals } = parseVerbArgs(args, CONFIG_OPTION, 2)
    const config = loadAndWarn(values.config, io)
    const pair = readPair(config, positionals)
    const { number, consumer } = pair
    const permission = await withPermissions(config, io, (client) => client.query(number, consumer))
    const now = Date.now()
    if (values.json) {
      io.stdout.write(`${JSON.stringify(view(pair, permission, now), null, 2)}\n`)
    } else {
      const lines = permissionLines(pair, permission, now, paintFor(io.stdout, io.env))
      io.stdout.write(`${lines.join('\n')}\n`)
    }
    return judgeCall(permission, now) ? EXIT.attention : EXIT.done
  },
}

function view({ number, consumer }: Pair, permission: CallPermission, now: number) {
  const { status, expires, call, request } = permission
  const refusal = judgeCall(permission, now)
  const limit = judgeRequest(permission, now)
  return {
    number: number.name,
    phone_number: number.phoneNumber,
    consumer,
    permission: { status, expires: iso(expires) },
    call: { allowed: !refusal, code: refusal?.code ?? null, limits: limits(call) },
    request: {
      allowed: !limit && status !== 'permanent',
      code: limit?.code ?? null,
      limits: limits(request),
    },
  }
}

function limits(action: PermissionAction | undefined) {
  return (action?.limits ?? []).map(({ period, max, used, until }) => {
    return { period, max, used, until: iso(until) }
  })
}

function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}
