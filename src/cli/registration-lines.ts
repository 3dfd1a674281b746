import type { TrunkView } from '../http/index.ts'
import type { Paint } from './style.ts'

/** Lines of a trunk's registrations, ours first, for people. */
export function registrationLines(
  { registration, contacts }: Pick<TrunkView, 'registration' | 'contacts'>,
  paint: Paint,
): string[] {
  const lines: string[] = []
  if (registration) {
    const { state, registrar, username, expires_at: until, next_at: next } = registration
    const trouble = troubleOf(registration.error)
    const who = `registration of ${username} with ${registrar}`
    if (state === 'registered') {
      const mark = trouble ? paint('yellow', '!') : paint('green', '✓')
      lines.push(`  ${mark} ${who}: until ${time(until)}, renewed at ${time(next)}`)
    } else {
      const mark = state === 'registering' ? paint('yellow', '!') : paint('red', '✗')
      const again = next ? `, again at ${time(next)}` : ''
      lines.push(`  ${mark} ${who}: ${state}${again}`)
    }
    if (trouble) lines.push(...trouble.map((line) => `      ${line}`))
  }
  if (contacts?.length === 0) lines.push(`  ${paint('red', '✗')} the PBX is not registered here`)
  for (const { uri, source, expires_at: until, q, user_agent: agent } of contacts ?? []) {
    const preference = q === 1 ? '' : `, q ${q}`
    const by = agent === '' ? '' : ` (${agent})`
    const mark = paint('green', '✓')
    lines.push(
      `  ${mark} registered: ${uri} from ${source}${by}, until ${time(until)}${preference}`,
    )
  }
  return lines
}

/** Whether registrations are as they should be. */
export function registrationsWell({
  registration,
  contacts,
}: Pick<TrunkView, 'registration' | 'contacts'>): boolean {
  if (registration && (registration.state !== 'registered' || registration.error)) return false
  return contacts === null || contacts === undefined || contacts.length > 0
}

function troubleOf(error: unknown): string[] | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { code, summary, detail, fix } = error as Record<string, string | undefined>
  return [`${code} ${summary}${detail === undefined ? '' : `: ${detail}`}`, `fix: ${fix}`]
}

/** The time of a timestamp, to the second; UTC as in the log and in every other list. */
function time(iso: string | null): string {
  return iso === null ? 'once' : `${new Date(iso).toISOString().slice(11, 19)} UTC`
}
