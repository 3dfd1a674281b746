import { formatPath, type Path } from '../source.ts'
import type { CheckContext, Rule } from './context.ts'

/** Every key that is understood but has no feature behind it yet says so. */
export const notBuilt: Rule = (context) => {
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const path: Path = ['trunks', index]
    if (context.given([...path, 'register'])) {
      warn(context, [...path, 'register'], 'Causeway does not register')
    }
    if (trunk?.accept?.registrations) {
      warn(context, [...path, 'accept', 'registrations'], 'a REGISTER from the PBX is refused')
    }
  }
}

function warn(context: CheckContext, path: Path, instead: string): void {
  context.warn('CONFIG_NOT_BUILT', { path, atKey: true, detail: `${formatPath(path)}: ${instead}` })
}
