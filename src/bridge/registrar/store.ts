import type { Random } from '../../shared/random.ts'
import type { Installation } from '../registration/registrations.ts'
import type { Binding } from './binding.ts'

/** What is remembered of registrations over a restart. */
export interface RegistrationStore {
  /** Names this installation towards registrars; made once. */
  installation(): Installation
  /** The contacts that were registered, by trunk; what has expired meanwhile may be among them. */
  load(): Map<string, Binding[]>
  /** Replaces the contacts of a trunk. Never throws: a contact that is not kept still counts. */
  save(trunk: string, bindings: readonly Binding[]): void
}

/** Remembers nothing. */
export function memoryStore(random: Random): RegistrationStore {
  return {
    installation: () => ({ id: random.uuid(), key: random.bytes(32) }),
    load: () => new Map(),
    save() {},
  }
}
