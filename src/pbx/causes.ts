import { catalogue, type ErrorCode, type ErrorDefinition } from '../shared/errors/index.ts'

/** A Q.850 cause the PBX may get for a call to WhatsApp, with what it may mean. */
export interface Cause {
  q850: number
  errors: { code: ErrorCode; sip: number; summary: string }[]
}

const CODES =
  /^(CALL_WHATSAPP_|CALL_PERMISSION_|CALL_OUTSIDE_HOURS$|CALL_DIALLED_INVALID$|CALL_(NUMBER_|RATE_|TRUNK_)?LIMIT$|CALL_NUMBER_FULL$|CALL_DRAINING$|MEDIA_NO_COMMON_CODEC$)/

/** What may become of a call to WhatsApp, by Q.850 cause, out of the error catalogue. */
export function causesToPbx(): Cause[] {
  const causes = new Map<number, Cause>()
  for (const [code, row] of Object.entries<ErrorDefinition>(catalogue)) {
    const { sip, q850, summary } = row
    if (!CODES.test(code) || sip === undefined || q850 === undefined) continue
    const cause = causes.get(q850) ?? { q850, errors: [] }
    cause.errors.push({ code: code as ErrorCode, sip, summary })
    causes.set(q850, cause)
  }
  return [...causes.values()].sort((a, b) => a.q850 - b.q850)
}
