import { isIP } from 'node:net'
import { cidrsOverlap } from '../addresses.ts'
import type { Path } from '../source.ts'
import type { CheckContext, Rule } from './context.ts'
import { knownNumber } from './known.ts'

const reachable: Rule = (context) => {
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const path = ['trunks', index]
    if (!trunk?.targets || trunk.targets.length > 0 || trunk.accept?.registrations) continue
    if (context.given([...path, 'register'])) continue
    if (context.isWrong([...path, 'accept', 'registrations'])) continue
    if (context.isWrong([...path, 'targets'])) continue
    context.error('CONFIG_TRUNK_UNREACHABLE', {
      path,
      detail: `trunk ${trunk.name ?? index}`,
      found: 'neither targets nor register nor accept.registrations',
      expected: 'targets: ["sip:10.0.0.9:5060"]',
    })
  }
}

const passwords: Rule = (context) => {
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    for (const key of ['register', 'credentials', 'accept'] as const) {
      const section = trunk?.[key]
      const path: Path = ['trunks', index, key]
      if (section) bothOrNeither(context, path, section.username, section.password)
    }
  }
}

const outboundNumbers: Rule = (context) => {
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    knownNumber(context, trunk?.outbound?.number, ['trunks', index, 'outbound', 'number'])
  }
}

const callers: Rule = (context) => {
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const path: Path = ['trunks', index, 'accept']
    if (!trunk?.accept || context.isWrong(path)) continue
    const { from, username } = trunk.accept
    if (from === undefined && username === undefined) {
      const known = trunk.targets?.some((target) => !target || isIP(target.host) !== 0) ?? true
      if (known || trunk.accept.registrations || trunk.register) continue
      const detail = `trunk ${trunk.name ?? index}`
      context.warn('CONFIG_NO_CALLERS', { path, atKey: true, detail })
    }
    const open = from?.findIndex((cidr) => cidr?.endsWith('/0')) ?? -1
    if (open < 0) continue
    const detail = `trunk ${trunk.name ?? index}`
    context.warn('CONFIG_OPEN_TRUNK', { path: [...path, 'from', open], detail })
  }
}

const overlap: Rule = (context) => {
  const seen: { cidr: string; trunk: string }[] = []
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const name = trunk?.name ?? `${index}`
    const own = (trunk?.accept?.from ?? []).entries()
    const earlier = [...seen]
    for (const [position, cidr] of own) {
      if (cidr === undefined) continue
      const other = earlier.find((one) => cidrsOverlap(one.cidr, cidr))
      seen.push({ cidr, trunk: name })
      if (!other) continue
      context.warn('CONFIG_ACCEPT_OVERLAP', {
        path: ['trunks', index, 'accept', 'from', position],
        detail: `${cidr} of trunk ${name} and ${other.cidr} of trunk ${other.trunk}`,
      })
    }
  }
}

/** Rules of `trunks:`. */
export const trunkRules: readonly Rule[] = [reachable, passwords, outboundNumbers, callers, overlap]

function bothOrNeither(
  context: CheckContext,
  path: Path,
  username: unknown,
  password: unknown,
): void {
  const wrong = ['username', 'password', 'password_file'].some((key) =>
    context.isWrong([...path, key]),
  )
  if (wrong || (username === undefined) === (password === undefined)) return
  const missing = username === undefined ? 'username' : 'password'
  const detail = `${missing} is missing in ${path[0]}[${path[1]}].${path[2]}`
  const [found, expected] = [`no ${missing}`, `a ${missing}`]
  context.error('CONFIG_CREDENTIALS_HALF', { path, atKey: true, detail, found, expected })
}
