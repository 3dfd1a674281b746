import type { Path } from '../source.ts'
import type { SipTransport } from '../types.ts'
import { formatDuration } from '../units.ts'
import type { CheckContext, Rule } from './context.ts'

/** Shortest and longest lifetime worth asking for, milliseconds. */
const EXPIRES = { min: 10_000, max: 86_400_000 }

const guarded: Rule = (context) => {
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const path: Path = ['trunks', index, 'accept']
    const accept = trunk?.accept
    if (!accept?.registrations || accept.username !== undefined || accept.password) continue
    if (['username', 'password', 'password_file'].some((key) => context.isWrong([...path, key]))) {
      continue
    }
    context.error('CONFIG_REGISTRATIONS_OPEN', {
      path: [...path, 'registrations'],
      detail: `trunk ${trunk?.name ?? index}`,
      found: 'registrations: true, and no username',
      expected: 'accept: { username: …, password: …, registrations: true }',
    })
  }
}

const ownUsers: Rule = (context) => {
  const trunks = context.draft.trunks ?? []
  for (const [index, trunk] of trunks.entries()) {
    const username = trunk?.accept?.username
    if (username === undefined) continue
    const other = trunks.slice(0, index).find((one) => one?.accept?.username === username)
    if (!other || !(trunk?.accept?.registrations || other.accept?.registrations)) continue
    context.error('CONFIG_REGISTRATIONS_SHARED', {
      path: ['trunks', index, 'accept', 'username'],
      detail: `${username}: trunks ${other.name} and ${trunk?.name ?? index}`,
      found: username,
      expected: 'a username of its own',
    })
  }
}

const lifetime: Rule = (context) => {
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const expires = trunk?.register?.expires
    if (expires === undefined || (expires >= EXPIRES.min && expires <= EXPIRES.max)) continue
    context.error('CONFIG_REGISTER_EXPIRES', {
      path: ['trunks', index, 'register', 'expires'],
      detail: `trunk ${trunk?.name ?? index}`,
      found: expires === 0 ? '0' : formatDuration(expires),
      expected: 'from 10s to 24h',
    })
  }
}

const ownAccounts: Rule = (context) => {
  const seen = new Map<string, string>()
  each(context, ({ host, port }, username, trunk, path) => {
    const account = `${username}@${host.toLowerCase()}:${port ?? 5060}`
    const other = seen.get(account)
    seen.set(account, trunk)
    if (other === undefined || other === trunk) return
    context.warn('CONFIG_REGISTER_TWICE', { path, detail: `${account}: trunks ${other}, ${trunk}` })
  })
}

const transports: Rule = (context) => {
  const { server, listen } = context.draft.sip ?? {}
  if (!listen || server?.kind === 'drachtio' || context.isWrong(['sip', 'listen'])) return
  // What comes in on the other listener is taken for WhatsApp's.
  const bound = (listen.pbx ?? []).map((address) => address?.transport)
  each(context, ({ uri, transport }, _username, _trunk, path) => {
    if (bound.includes(undefined) || bound.includes(transport)) return
    const example = `${transport}://0.0.0.0:${transport === 'tls' ? 5063 : 5060}`
    context.error('CONFIG_REGISTER_TRANSPORT', {
      path,
      detail: uri,
      found: `no ${transport} listener`,
      expected: `a listener such as ${example} in sip.listen.pbx`,
    })
  })
}

interface Registrar {
  uri: string
  host: string
  port: number | undefined
  transport: SipTransport
}

/** Every registrar of the file that could be read. */
function each(
  context: CheckContext,
  look: (registrar: Registrar, username: string, trunk: string, path: Path) => void,
): void {
  for (const [index, trunk] of (context.draft.trunks ?? []).entries()) {
    const { registrar, username = '' } = trunk?.register ?? {}
    const path: Path = ['trunks', index, 'register', 'registrar']
    if (!registrar || context.isWrong(path)) continue
    for (const one of registrar) {
      if (one) look(one as Registrar, username, trunk?.name ?? String(index), path)
    }
  }
}

/** Rules of `register` and of `accept.registrations`. */
export const registrationRules: readonly Rule[] = [
  guarded,
  ownUsers,
  lifetime,
  ownAccounts,
  transports,
]
