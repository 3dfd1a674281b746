import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseUri } from '../../bridge/address/uri.ts'
import { Directory } from '../../bridge/admit/directory.ts'
import type { Config } from '../../config/index.ts'
import { momentIn } from '../../shared/calendar.ts'
import { nearest } from '../../shared/nearest.ts'
import type { Io } from '../io.ts'
import { CONFIG_OPTION, CONFIG_USAGE, loadAndWarn } from '../load.ts'
import { type PastedInvite, readInvite } from '../route/pasted-invite.ts'
import { explainPbxCall, type PbxExplanation } from '../route/pbx-call.ts'
import { formatPbxCall, formatWhatsAppCall } from '../route/report.ts'
import { pbxInvite, whatsappInvite } from '../route/synthetic-invite.ts'
import { explainWhatsAppCall, type WhatsAppExplanation } from '../route/whatsapp-call.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, UsageError, type Verb } from '../verb.ts'

const text = { type: 'string' } as const

/** Options of a call from a WhatsApp user alone. */
const WHATSAPP_OPTIONS = {
  number: text,
  param: { type: 'string', multiple: true },
  country: text,
  payload: text,
  'link-payload': text,
  'user-id': text,
  username: text,
  name: text,
} as const

/** Options of a call from the PBX alone; `--trunk` goes with a pasted INVITE, too. */
const PBX_OPTIONS = {
  source: text,
  to: text,
  pai: text,
  diversion: text,
  'history-info': text,
} as const

const OPTIONS = {
  ...CONFIG_OPTION,
  ...WHATSAPP_OPTIONS,
  ...PBX_OPTIONS,
  trunk: text,
  from: text,
  at: text,
  invite: text,
} as const

/** `causeway route test`. */
export const verb: Verb = {
  name: 'route test',
  summary: 'where a given call would go, and why, offline',
  usage: `Usage: causeway route test --number NUMBER --from CALLER [options]
       causeway route test --trunk TRUNK --to DIALLED [options]
       causeway route test --invite FILE [--trunk TRUNK]

Explains what becomes of a call by the configuration alone: for a call from a
WhatsApp user every route of the number with ✓ or ✗ and the reason, the trunks
it is tried at, and the INVITE their PBX sees; for a call from the PBX the
number it leaves from and the consumer. Nothing is contacted.

A call from WhatsApp:
      --number NUMBER        number that is called, by its name or phone number
      --from CALLER          who calls: +E.164, or a user id such as FR.1349…
      --param NAME=VALUE     user parameter of the request URI, may be repeated;
                             default: those of
                             calling.sip.request_uri_user_params
      --country CC           country WhatsApp tells
      --payload TEXT         payload of the call button
      --link-payload TEXT    payload of the call link
      --name TEXT            profile name
      --user-id ID           user id of a caller whose number is shown
      --username TEXT        user name
      --at TIME              2026-12-24T18:00, in the time zone of the number's
                             call hours, or with an offset; default: now

A call from the PBX:
      --trunk TRUNK          trunk the call comes over
      --source ADDRESS       instead: address it comes from
      --to DIALLED           what the PBX dials
      --from, --pai, --diversion, --history-info VALUE
                             user part, or the whole value of the header

Any of the two:
      --invite FILE          the INVITE itself, out of a log or capture; - reads
                             standard input
${CONFIG_USAGE}
      --json                 the explanation as one JSON object

Exit codes: 0 the call goes out, 1 it would be refused, 64 usage, 78 bad
configuration.

Examples:
  causeway route test --number support --from +33199001234 --payload order-17
  causeway route test --trunk main --to 0033199001234 --from 200
  causeway route test --invite - < invite.txt
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, OPTIONS)
    const kind = kindOf(values)
    const config = loadAndWarn(values.config, io)
    const explanation = explain(kind, values, config, io)
    if (values.json) io.stdout.write(`${JSON.stringify(asJson(explanation), null, 2)}\n`)
    else {
      const paint = paintFor(io.stdout, io.env)
      io.stdout.write(
        explanation.side === 'whatsapp'
          ? formatWhatsAppCall(explanation, paint)
          : formatPbxCall(explanation, paint),
      )
    }
    return explanation.refused ? EXIT.failed : EXIT.done
  },
}

type Values = ReturnType<typeof parseVerbArgs<typeof OPTIONS>>['values']
type Kind = 'whatsapp' | 'pbx' | 'invite'

/** Which call is meant. @throws {UsageError} when it is not clear, or an option does not go with it */
function kindOf(values: Values): Kind {
  const pbx = values.trunk !== undefined || values.source !== undefined
  const kind: Kind | undefined =
    values.invite !== undefined
      ? 'invite'
      : values.number !== undefined
        ? 'whatsapp'
        : pbx
          ? 'pbx'
          : undefined
  if (!kind) throw new UsageError('which call? give --number, --trunk or --invite')
  const foreign = {
    whatsapp: [...Object.keys(PBX_OPTIONS), 'trunk'],
    pbx: Object.keys(WHATSAPP_OPTIONS),
    invite: [...Object.keys(PBX_OPTIONS), ...Object.keys(WHATSAPP_OPTIONS), 'from'],
  }[kind]
  const wrong = foreign.find((option) => Object.hasOwn(values, option))
  if (wrong !== undefined) throw new UsageError(`--${wrong} does not go with ${MEANT[kind]}`)
  return kind
}

const MEANT = {
  whatsapp: '--number, a call from WhatsApp',
  pbx: '--trunk or --source, a call from the PBX',
  invite: '--invite, which says it itself',
}

function explain(
  kind: Kind,
  values: Values,
  config: Config,
  io: Io,
): WhatsAppExplanation | PbxExplanation {
  const { trunk } = values
  checkTrunk(config, trunk)
  if (kind === 'pbx') return explainPbxCall(config, pbxInvite(values, config), trunk)
  const invite =
    kind === 'whatsapp'
      ? whatsappInvite({ ...values, number: values.number! }, config)
      : readInvite(readText(values.invite!, io))
  if (kind === 'invite' && (trunk !== undefined || !isWhatsApp(invite))) {
    return explainPbxCall(config, invite, trunk)
  }
  return explainWhatsAppCall(config, invite, moment(values.at, invite, config))
}

/** WhatsApp's own headers are in every INVITE of its, and in no other. */
function isWhatsApp({ headers }: PastedInvite): boolean {
  return Object.keys(headers).some((name) => /^x-(wa[-_]meta[-_]|fb-external-domain$)/i.test(name))
}

/** The time to judge by: with an offset, or by the clock of the number's call hours. */
function moment(at: string | undefined, invite: PastedInvite, config: Config): number {
  if (at === undefined) return Date.now()
  const number = new Directory(config, config.sip.listen).numberOf(parseUri(invite.uri)?.user ?? '')
  const offset = /(Z|[+-]\d\d:\d\d)$/.test(at)
  const found = offset ? Date.parse(at) : momentIn(at, number?.calling.call_hours?.timezone_id)
  if (found !== undefined && !Number.isNaN(found)) return found
  throw new UsageError(`--at takes a time such as 2026-12-24T18:00, not ${at}`)
}

function checkTrunk({ trunks }: Config, name: string | undefined): void {
  const known = trunks.map((trunk) => trunk.name)
  if (name === undefined || known.includes(name)) return
  const close = nearest(name, known)
  const hint = close ? `did you mean ${close}?` : `there are ${known.join(', ') || 'none'}`
  throw new UsageError(`no trunk ${name}; ${hint}`)
}

function readText(file: string, io: Io): string {
  try {
    return readFileSync(file === '-' ? 0 : resolve(io.cwd, file), 'utf8')
  } catch (error) {
    const { code } = error as { code?: string }
    throw new UsageError(`${file} cannot be read: ${code ?? 'unknown cause'}`)
  }
}

/** Times as ISO 8601; what is refused with its status and error. */
function asJson(explanation: WhatsAppExplanation | PbxExplanation): Record<string, unknown> {
  const { refused, ...rest } = explanation
  const verdict = { ok: !refused, ...rest, refused: refused && { ...refused } }
  if (explanation.side === 'pbx') return verdict
  const { at, hours } = explanation
  const opens = hours?.opens_at
  return {
    ...verdict,
    at: new Date(at).toISOString(),
    hours: hours && { ...hours, opens_at: opens && new Date(opens).toISOString() },
  }
}
