import { formatPath, type Path } from '../source.ts'
import type { CheckContext, Rule } from './context.ts'

/** Top-level keys whose feature this version lacks, and what happens instead. */
const TOP: [Path, string][] = [[['whatsapp', 'webhooks'], 'no webhook endpoint is served']]

const CARRIED = [
  'call_icon_visibility',
  'call_icons',
  'call_hours',
  'callback_permission_status',
  'voicemail',
  'restrictions',
  'video',
]

/** Every key that is understood but has no feature behind it yet says so. */
export const notBuilt: Rule = (context) => {
  for (const [path, instead] of TOP) {
    if (context.given(path)) warn(context, path, instead)
  }
  for (const index of (context.draft.numbers ?? []).keys()) {
    for (const field of CARRIED) {
      const path = ['numbers', index, 'calling', field]
      if (context.given(path)) warn(context, path, 'it is neither compared nor written')
    }
  }
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const path: Path = ['trunks', index]
    if (context.given([...path, 'register'])) {
      warn(context, [...path, 'register'], 'Causeway does not register')
    }
    if (trunk?.accept?.registrations) {
      warn(context, [...path, 'accept', 'registrations'], 'a REGISTER from the PBX is refused')
    }
    if ((trunk?.options ?? 0) > 0) warn(context, [...path, 'options'], 'no OPTIONS are sent')
  }
}

function warn(context: CheckContext, path: Path, instead: string): void {
  context.warn('CONFIG_NOT_BUILT', { path, atKey: true, detail: `${formatPath(path)}: ${instead}` })
}
