import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'

/** The steps of a rotation, in order (section 8.3 of WhatsApp's rules). */
export const ROTATION_STEPS = ['drain', 'disable', 'clear', 'add', 'enable', 'read'] as const

const toggle = z.enum(['ENABLED', 'DISABLED'])

/** What a number is given back after its rotation. Holds no secret. */
const snapshotSchema = z.object({
  status: toggle,
  srtp: z.enum(['DTLS', 'SDES']).optional(),
  sipStatus: toggle,
  webhookDelivery: toggle.optional(),
  server: z.object({
    hostname: z.string(),
    port: z.number().int(),
    params: z.record(z.string(), z.string()).optional(),
  }),
  /** Tells a new password from the old one, without telling either. */
  oldPassword: z.object({ salt: z.string(), hash: z.string() }).optional(),
})

const stateSchema = z.object({
  /** Name of the number in the configuration. */
  number: z.string(),
  phoneNumberId: z.string(),
  /** The step that is made next, or was under way. */
  step: z.enum(ROTATION_STEPS),
  /** Milliseconds since the epoch, as all times here. */
  startedAt: z.number(),
  /** From the step `disable` on. */
  before: snapshotSchema.optional(),
  /** When the number was switched off. */
  disabledAt: z.number().optional(),
  /** When it was switched on again. */
  enabledAt: z.number().optional(),
})

/** One of {@link ROTATION_STEPS}. */
export type RotationStep = (typeof ROTATION_STEPS)[number]
/** The settings of a number as they were before its rotation. */
export type RotationSnapshot = z.output<typeof snapshotSchema>
/** How far a rotation has come: written down before each step. */
export type RotationState = z.output<typeof stateSchema>

/** Where rotations under way are kept, so that a crash at any step can be rolled forward. */
export interface RotationStore {
  /** Unfinished rotations, of numbers the configuration may no longer have. */
  all(): RotationState[]
  load(number: string): RotationState | undefined
  /** Written when this returns: also a power failure does not lose it. Throws when it cannot be. */
  save(state: RotationState): void
  remove(number: string): void
}

/** Rotations under way, in an open database. A row that cannot be understood counts as none. */
export function createRotationStore(database: DatabaseSync): RotationStore {
  const select = database.prepare('SELECT state FROM rotation ORDER BY number')
  const upsert = database.prepare(
    'INSERT INTO rotation (number, state) VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET state = excluded.state',
  )
  const remove = database.prepare('DELETE FROM rotation WHERE number = ?')

  function all(): RotationState[] {
    return select.all().flatMap(({ state }) => {
      const parsed = stateSchema.safeParse(JSON.parse(String(state)))
      return parsed.success ? [parsed.data] : []
    })
  }

  /** Flushed to the disk, other than the journal beside it. */
  function durably(write: () => void): void {
    database.exec('PRAGMA synchronous = FULL')
    try {
      write()
    } finally {
      database.exec('PRAGMA synchronous = NORMAL')
    }
  }

  return {
    all,
    load: (number) => all().find((state) => state.number === number),
    save: (state) => durably(() => upsert.run(state.number, JSON.stringify(state))),
    remove: (number) => durably(() => remove.run(number)),
  }
}
