import type { Path } from '../source.ts'
import type { CheckContext, Rule } from './context.ts'

/** Rules of `trunks[].permissions`. */
export const permissionRules: readonly Rule[] = [message, provider, tokens]

function message(context: CheckContext): void {
  for (const { path, permissions } of entries(context)) {
    if (typeof permissions === 'string') continue
    const { mode, template, language, text } = permissions
    const half = (template === undefined) !== (language === undefined)
    if (half) {
      const missing = template === undefined ? 'template' : 'language'
      context.error('CONFIG_PERMISSIONS_MESSAGE', {
        path,
        atKey: true,
        detail: `${missing} is missing; a template is known by its name and language`,
        found: `no ${missing}`,
        expected: 'template: call_permission and language: en',
      })
    } else if (template !== undefined && text !== undefined) {
      context.error('CONFIG_PERMISSIONS_MESSAGE', {
        path: [...path, 'text'],
        atKey: true,
        detail: 'a template brings its own text',
        found: 'both',
        expected: 'template and language, or text',
      })
    } else if (mode !== 'request' && (template ?? text) !== undefined) {
      context.error('CONFIG_PERMISSIONS_MESSAGE', {
        path: [...path, 'mode'],
        detail: `mode ${mode} sends no message`,
        found: `mode: ${mode}`,
        expected: 'mode: request',
      })
    }
  }
}

function provider(context: CheckContext): void {
  if (context.draft.whatsapp?.provider !== '360dialog') return
  for (const { path, mode } of entries(context)) {
    if (mode === 'off') continue
    const found = String(mode)
    context.error('CONFIG_PERMISSIONS_PROVIDER', { path, detail: found, found, expected: 'off' })
  }
}

/** Without a token nothing can be asked: every call would go out unchecked, with a warning each. */
function tokens(context: CheckContext): void {
  const numbers = context.draft.numbers ?? []
  for (const { path, mode, number } of entries(context)) {
    if (mode === 'off' || number === undefined) continue
    const index = numbers.findIndex((one) => one?.name === number)
    if (index < 0 || context.given(['numbers', index, 'access_token'])) continue
    if (context.given(['numbers', index, 'access_token_file'])) continue
    context.warn('CONFIG_PERMISSIONS_TOKEN', { path, detail: `number ${number}` })
  }
}

interface Entry {
  path: Path
  permissions: NonNullable<
    NonNullable<NonNullable<CheckContext['draft']['trunks']>[number]>['permissions']
  >
  mode: string | undefined
  number: string | undefined
}

function entries(context: CheckContext): Entry[] {
  return (context.draft.trunks ?? []).flatMap((trunk, index) => {
    const path: Path = ['trunks', index, 'permissions']
    const permissions = trunk?.permissions
    if (permissions === undefined || context.isWrong(path)) return []
    const mode = typeof permissions === 'string' ? permissions : permissions.mode
    return [{ path, permissions, mode, number: trunk?.outbound?.number }]
  })
}
