import { formatPath, type Path } from '../source.ts'
import type { CheckContext, Rule } from './context.ts'

/** Every key that is understood but has no feature behind it yet says so. */
export const notBuilt: Rule = (context) => {
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const path: Path = ['trunks', index]
    if ((trunk?.options ?? 0) > 0) warn(context, [...path, 'options'], 'no OPTIONS are sent')
  }
}

function warn(context: CheckContext, path: Path, instead: string): void {
  context.warn('CONFIG_NOT_BUILT', { path, atKey: true, detail: `${formatPath(path)}: ${instead}` })
}
