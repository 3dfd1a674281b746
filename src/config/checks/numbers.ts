import type { Path } from '../source.ts'
import type { CheckContext, Rule } from './context.ts'

const unique: Rule = (context) => {
  const { numbers, trunks } = context.draft
  const named = (list: readonly ({ name?: string | undefined } | undefined)[] | undefined) =>
    (list ?? []).map((entry) => entry?.name)
  once(context, 'numbers', 'name', named(numbers))
  once(context, 'trunks', 'name', named(trunks))
  once(context, 'numbers', 'phone_number', numbers?.map((number) => number?.phone_number) ?? [])
  once(context, 'numbers', 'phone_number_id', numbers?.map((it) => it?.phone_number_id) ?? [])
}

/** Digits that are a phone number, or one as it is dialled at home. */
const FEWEST_DIGITS = 7

/** Names are labels of metrics and stand in masked logs, where no phone number may. */
const speakingNames: Rule = (context) => {
  const { numbers = [], trunks = [] } = context.draft
  const phones = numbers.flatMap((number) => number?.phone_number ?? [])
  const check = (name: string | undefined, path: Path): void => {
    const runs = name?.match(/\d+/g)?.map((digits) => digits.replace(/^0+/, '')) ?? []
    const told = phones.find((phone) =>
      runs.some((digits) => digits.length >= FEWEST_DIGITS && phone.endsWith(digits)),
    )
    if (name === undefined || told === undefined || context.isWrong(path)) return
    const expected = 'a name without a phone number, such as support'
    context.error('CONFIG_NAME_IS_NUMBER', { path, detail: `${name}`, found: name, expected })
  }
  for (const [index, number] of numbers.entries()) {
    check(number?.name, ['numbers', index, 'name'])
    for (const [place, route] of (number?.inbound?.routes ?? []).entries()) {
      check(route?.name, ['numbers', index, 'inbound', 'routes', place, 'name'])
    }
  }
  for (const [index, trunk] of trunks.entries()) check(trunk?.name, ['trunks', index, 'name'])
}

const refused: Rule = (context) => {
  for (const [index, number] of (context.draft.numbers ?? []).entries()) {
    const path = ['numbers', index, 'inbound']
    if (!number || number.inbound || number.calling?.status === 'DISABLED') continue
    if (context.isWrong(path)) continue
    context.warn('CONFIG_NO_INBOUND', {
      path,
      atKey: true,
      detail: `number ${number.name ?? index}`,
    })
  }
}

const credentials: Rule = (context) => {
  for (const [index, number] of (context.draft.numbers ?? []).entries()) {
    if (!number) continue
    const path: Path = ['numbers', index]
    const keys = ['access_token', 'access_token_file', 'sip_password', 'sip_password_file']
    if (number.access_token || keys.some((key) => context.isWrong([...path, key]))) continue
    const detail = `number ${number.name ?? index}`
    const managed = number.manage === 'apply' || number.manage === 'verify'
    const manage = [...path, 'manage']
    if (number.sip_password) {
      if (managed) context.warn('CONFIG_NOT_MANAGED', { path: manage, detail })
    } else if (number.manage === 'off') {
      context.warn('CONFIG_NO_CREDENTIALS', { path, detail })
    } else {
      const expected = `access_token: \${WA_TOKEN}, or access_token_file`
      context.error('CONFIG_TOKEN_MISSING', { path, detail, found: 'no token', expected })
    }
  }
}

const anythingToCarry: Rule = (context) => {
  for (const key of ['numbers', 'trunks'] as const) {
    if (context.draft[key]?.length !== 0 || context.isWrong([key])) continue
    context.warn('CONFIG_NOTHING_TO_CARRY', { path: [key], atKey: true, detail: `no ${key}` })
  }
}

/** Rules of `numbers:` and of names across the file. */
export const numberRules: readonly Rule[] = [
  unique,
  speakingNames,
  refused,
  credentials,
  anythingToCarry,
]

function once(
  context: CheckContext,
  list: 'numbers' | 'trunks',
  key: string,
  values: readonly (string | undefined)[],
): void {
  const first = new Map<string, number>()
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue
    const earlier = first.get(value)
    if (earlier === undefined) first.set(value, index)
    else {
      context.error('CONFIG_DUPLICATE_NAME', {
        path: [list, index, key],
        detail: `${value} is also ${list}[${earlier}].${key}`,
        found: value,
        expected: `a ${key} of its own`,
      })
    }
  }
}
