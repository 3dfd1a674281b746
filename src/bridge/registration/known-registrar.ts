import type { RegisterConfig } from '../../config/types.ts'
import type { CausewayError } from '../../shared/errors/index.ts'
import { bracketed } from '../../shared/host-port.ts'
import type { Random } from '../../shared/random.ts'
import { RegisterCredentials } from './credentials.ts'
import { FlowRecord } from './flow-record.ts'
import type { Trouble } from './timing.ts'

/** One registrar of the list, with what is remembered between REGISTERs. */
export interface KnownRegistrar {
  readonly uri: string
  readonly host: string
  readonly transport: string
  readonly callId: string
  readonly fromTag: string
  readonly credentials: RegisterCredentials
  readonly regId: number
  readonly flow: FlowRecord
  cseq: number
  outbound: boolean
  /** Whether it has taken the account before. */
  accepted: boolean
  /** Of the kind in `trouble`, in a row. */
  failures: number
  /** Not asked before this moment, monotonic milliseconds. */
  notBefore: number
  trouble: { kind: Trouble; error: CausewayError } | undefined
}

/** The registrars of a configuration, about which nothing is known yet. */
export function knownRegistrars(config: RegisterConfig, random: Random): KnownRegistrar[] {
  const account = { username: config.authUsername, password: config.password }
  return config.registrars.map(({ uri, host, transport }, index) => ({
    uri,
    host: bracketed(host),
    transport,
    callId: random.uuid(),
    fromTag: random.hex(8),
    credentials: new RegisterCredentials(account, uri, random),
    regId: index + 1,
    flow: new FlowRecord(),
    cseq: 0,
    outbound: true,
    accepted: false,
    failures: 0,
    notBefore: 0,
    trouble: undefined,
  }))
}
