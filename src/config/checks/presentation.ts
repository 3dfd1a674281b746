import type { Rule } from './context.ts'
import { knownNumber } from './known.ts'

const presentations: Rule = (context) => {
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const path = ['trunks', index, 'presentation']
    const { numbers, country_code, user_id, user_id_number } = trunk?.presentation ?? {}
    const detail = `trunk ${trunk?.name ?? index}`
    if (
      numbers === 'national' &&
      country_code === undefined &&
      !context.isWrong([...path, 'country_code'])
    ) {
      const at = [...path, 'numbers']
      context.error('CONFIG_COUNTRY_CODE_MISSING', {
        path: at,
        detail,
        found: 'no country_code',
        expected: 'country_code: "44"',
      })
    }
    const replaced = user_id === 'replace' || user_id === 'display'
    if (replaced && user_id_number === undefined && !context.isWrong([...path, 'user_id_number'])) {
      const at = [...path, 'user_id']
      context.error('CONFIG_USER_ID_NUMBER_MISSING', {
        path: at,
        detail,
        found: 'no user_id_number',
        expected: 'user_id_number: "0000"',
      })
    }
  }
}

const prefixes: Rule = (context) => {
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const { prefixes = [], by } = trunk?.outbound ?? {}
    const path = ['trunks', index, 'outbound', 'prefixes']
    const seen = new Map<string, number>()
    for (const [position, entry] of prefixes.entries()) {
      if (entry?.prefix === undefined) continue
      const earlier = seen.get(entry.prefix)
      if (earlier === undefined) seen.set(entry.prefix, position)
      else {
        context.error('CONFIG_DUPLICATE_NAME', {
          path: [...path, position, 'prefix'],
          detail: `${entry.prefix} is also prefixes[${earlier}] of the trunk`,
          found: entry.prefix,
          expected: 'each prefix once',
        })
      }
    }
    for (const [position, entry] of prefixes.entries()) {
      knownNumber(context, entry?.number, [...path, position, 'number'])
    }
    const unused = prefixes.length > 0 && by !== undefined && !by.includes('prefix')
    if (!unused || context.isWrong(['trunks', index, 'outbound', 'by'])) continue
    const detail = `trunk ${trunk?.name ?? index}: by lists ${by.join(', ') || 'nothing'}`
    context.warn('CONFIG_PREFIXES_UNUSED', { path, atKey: true, detail })
  }
}

/** Rules of `trunks[].presentation` and of what chooses the number of a call from the PBX. */
export const presentationRules: readonly Rule[] = [presentations, prefixes]
