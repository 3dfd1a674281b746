import type { Clock } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { FlowOwner } from '../ended-flow.ts'
import { type Binding, contactKey, type Source } from './binding.ts'
import { type AskedChange, type AskedContact, LIFETIME } from './request.ts'
import type { RegistrationStore } from './store.ts'

/** Contacts of one trunk at most. */
export const MOST_CONTACTS = 10

/** What a REGISTER changed. */
export interface BindingChange {
  added: Binding[]
  removed: Binding[]
}

/** The contacts of every trunk, kept over a restart (RFC 3261 §10.3 step 7 and 8). */
export class Bindings {
  readonly #clock: Clock
  readonly #store: RegistrationStore
  readonly #byTrunk: Map<string, Binding[]>
  /** When contacts expire, monotonic: a clock that is set ends none and prolongs none. */
  readonly #ends = new WeakMap<Binding, number>()

  constructor(clock: Clock, store: RegistrationStore) {
    this.#clock = clock
    this.#store = store
    this.#byTrunk = store.load()
    for (const binding of [...this.#byTrunk.values()].flat()) {
      const left = Math.min(binding.expiresAt - clock.now(), LIFETIME.max * 1000)
      this.#ends.set(binding, clock.monotonic() + left)
    }
  }

  /** Live contacts of a trunk: by preference, of the same the newest first. */
  of(trunk: string): readonly Binding[] {
    return (this.#byTrunk.get(trunk) ?? []).filter((binding) => this.left(binding) > 0)
  }

  /** Milliseconds a contact has left. */
  left(binding: Binding): number {
    return (this.#ends.get(binding) ?? 0) - this.#clock.monotonic()
  }

  /**
   * The trunk with a live contact that registered from exactly there; undefined where several have one, and
   * for a contact with a Path: its REGISTER came from a proxy, which others may call through.
   */
  trunkAt({ address, port, transport }: Source): string | undefined {
    const found = [...this.#byTrunk.keys()].filter((trunk) =>
      this.of(trunk).some(({ source, path }) => {
        if (source.address !== address || source.port !== port) return false
        return source.transport === transport && path.length === 0
      }),
    )
    return found.length === 1 ? found[0] : undefined
  }

  /**
   * Applies a REGISTER as a whole or not at all.
   *
   * @returns TRUNK_REGISTRAR_OUT_OF_ORDER or TRUNK_REGISTRAR_CONTACTS_FULL when nothing was changed
   */
  apply(trunk: string, change: AskedChange, source: Source): BindingChange | CausewayError {
    const before = [...this.of(trunk)]
    let after = [...before]
    /** What each binding of `after` was before this REGISTER, which may name a contact twice. */
    const former = new Map(before.map((binding) => [binding, binding]))
    const removed: Binding[] = []
    const asked = change.contacts === 'all' ? before.map(asRemoval) : change.contacts
    for (const contact of asked) {
      const found = after.find((one) => isSame(one, contact))
      const old = found && former.get(found)
      if (old && old.callId === change.callId && old.cseq >= change.cseq) {
        const detail = `CSeq ${change.cseq}, known is ${old.cseq}`
        return new CausewayError('TRUNK_REGISTRAR_OUT_OF_ORDER', { detail })
      }
      after = after.filter((one) => one !== found)
      if (contact.expires === 0) {
        if (old) removed.push(old)
        continue
      }
      const binding = this.#bind(contact, change, source, old)
      if (old) former.set(binding, old)
      after.push(binding)
    }
    if (after.length > MOST_CONTACTS) {
      return new CausewayError('TRUNK_REGISTRAR_CONTACTS_FULL', {
        detail: `${before.length} are there`,
      })
    }
    if (asked.length > 0) this.#keep(trunk, after)
    return { added: after.filter((one) => !former.has(one)), removed }
  }

  /** Takes out the flows (RFC 5626) a REGISTER has made: their connection has ended. */
  endFlows({ callId, cseq }: FlowOwner): { trunk: string; binding: Binding }[] {
    const gone: { trunk: string; binding: Binding }[] = []
    for (const [trunk, all] of [...this.#byTrunk]) {
      const dead = all.filter(
        (one) => one.flow !== undefined && one.callId === callId && one.cseq === cseq,
      )
      if (dead.length === 0) continue
      gone.push(...dead.map((binding) => ({ trunk, binding })))
      this.#keep(
        trunk,
        all.filter((one) => !dead.includes(one)),
      )
    }
    return gone
  }

  /** Takes out what has expired; returns it. */
  expire(): { trunk: string; binding: Binding }[] {
    const gone: { trunk: string; binding: Binding }[] = []
    for (const [trunk, all] of [...this.#byTrunk]) {
      const dead = all.filter((binding) => this.left(binding) <= 0)
      if (dead.length === 0) continue
      gone.push(...dead.map((binding) => ({ trunk, binding })))
      this.#keep(trunk, this.of(trunk))
    }
    return gone
  }

  /** Forgets the contacts of every trunk that is not named. */
  retain(trunks: ReadonlySet<string>): void {
    for (const trunk of [...this.#byTrunk.keys()]) if (!trunks.has(trunk)) this.#keep(trunk, [])
  }

  /** Milliseconds until the next contact expires; undefined without any. */
  get nextExpiry(): number | undefined {
    const times = [...this.#byTrunk.values()].flat().map((binding) => this.left(binding))
    return times.length > 0 ? Math.min(...times) : undefined
  }

  #bind(
    contact: AskedContact,
    change: AskedChange,
    source: Source,
    old: Binding | undefined,
  ): Binding {
    const now = this.#clock.now()
    const { uri, q, expires, flow } = contact
    const { callId, cseq, path, userAgent } = change
    const since = old?.since ?? now
    const expiresAt = now + expires * 1000
    const binding = { uri, q, expiresAt, since, callId, cseq, source, path, flow, userAgent }
    this.#ends.set(binding, this.#clock.monotonic() + expires * 1000)
    return binding
  }

  #keep(trunk: string, bindings: readonly Binding[]): void {
    const ordered = [...bindings].sort((a, b) => b.q - a.q || b.since - a.since)
    if (ordered.length > 0) this.#byTrunk.set(trunk, ordered)
    else this.#byTrunk.delete(trunk)
    this.#store.save(trunk, ordered)
  }
}

/** RFC 5626 §6: one flow of one instance replaces itself, whatever its URI is now. */
function isSame(binding: Binding, { uri, flow }: AskedContact): boolean {
  if (flow !== undefined && binding.flow === flow) return true
  return contactKey(binding.uri) === contactKey(uri)
}

function asRemoval({ uri, q, flow }: Binding): AskedContact {
  return { uri, q, flow, expires: 0 }
}
