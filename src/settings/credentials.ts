import type { Clock } from '../shared/clock.ts'
import type { Secret } from '../shared/secret.ts'

/** The SIP passwords of the numbers, for digest in both directions. */
export interface CredentialSource {
  /** The password known now; undefined until the settings were read. */
  get(numberName: string): Secret | undefined
  /**
   * Reads the password again, for when WhatsApp refuses the known one. Callers that come while a
   * read is under way share it. Never rejects; undefined when there is none or it cannot be read.
   */
  refresh(numberName: string): Promise<Secret | undefined>
}

/** A {@link CredentialSource} that is also told about passwords read on other occasions. */
export interface CredentialStore extends CredentialSource {
  /** `at`: when it was read, milliseconds since the epoch; now by default. */
  set(numberName: string, password: Secret, at?: number): void
  /** When the password was last read, milliseconds since the epoch. */
  readAt(numberName: string): number | undefined
}

/** After a refresh that brought nothing new, the known answer stands for this long. */
const FUTILE = 10_000

/**
 * Keeps passwords by number name.
 *
 * @param fixed passwords from the configuration (`sip_password`), never read from WhatsApp
 * @param read fetches the password of a number; may reject
 */
export function createCredentialStore(options: {
  clock: Clock
  fixed: ReadonlyMap<string, Secret>
  read: (numberName: string) => Promise<Secret | undefined>
}): CredentialStore {
  const { clock, fixed } = options
  const known = new Map<string, { password: Secret; at: number }>()
  const running = new Map<string, Promise<Secret | undefined>>()
  const futileAt = new Map<string, number>()

  const get = (name: string): Secret | undefined => fixed.get(name) ?? known.get(name)?.password

  function set(name: string, password: Secret, at = clock.now()): void {
    known.set(name, { password, at })
  }

  async function read(name: string): Promise<Secret | undefined> {
    const before = known.get(name)?.password
    try {
      const password = await options.read(name)
      if (password) set(name, password)
      if (!password || before?.equals(password)) futileAt.set(name, clock.monotonic())
      return password
    } catch {
      // The reader has reported it; whoever asks is left with what is known to be refused.
      return undefined
    } finally {
      running.delete(name)
    }
  }

  return {
    get,
    set,
    readAt: (name) => known.get(name)?.at,
    refresh(name) {
      const bypass = fixed.get(name)
      if (bypass) return Promise.resolve(bypass)
      const last = futileAt.get(name)
      if (last !== undefined && clock.monotonic() - last < FUTILE) return Promise.resolve(get(name))
      let shared = running.get(name)
      if (!shared) {
        shared = read(name)
        running.set(name, shared)
      }
      return shared
    },
  }
}
