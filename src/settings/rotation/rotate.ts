import type { NumberConfig } from '../../config/types.ts'
import type { Clock } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Random } from '../../shared/random.ts'
import type { Secret } from '../../shared/secret.ts'
import type { SettingsClient } from '../client.ts'
import type { DesiredContext } from '../desired.ts'
import { place } from '../dialect.ts'
import { GraphError } from '../errors.ts'
import type { JournalActor, JournalSink } from '../journal.ts'
import { ownServer } from '../servers.ts'
import type { CallingSettings } from '../types.ts'
import { addPatch, CLEAR, DISABLE, enablePatch, isNew, snapshotOf } from './patches.ts'
import {
  ROTATION_STEPS,
  type RotationSnapshot,
  type RotationState,
  type RotationStep,
  type RotationStore,
} from './state.ts'

/** What a rotation works with. */
export interface RotationDeps {
  /** Should write down what goes through it. */
  client: SettingsClient
  store: RotationStore
  journal: JournalSink
  who: JournalActor
  clock: Clock
  random: Random
  /** Names our server among those of the number. */
  context: DesiredContext
  /** Keeps new calls of the number away, and waits for those in progress as long as it may. */
  drain(): Promise<void>
  /** Told of each step before it is made. */
  onStep?(state: RotationState): void
}

/** What a rotation came to. */
export interface RotationResult {
  password: Secret
  /** App of our server, as far as it is reported. */
  app: string
  /** Milliseconds between switching the number off and on again. */
  window: number
  /** The settings as read at the end. */
  actual: CallingSettings
}

/**
 * Gives a number a new SIP password: drain, disable, clear the server, add it, enable, read. The
 * state is written down before each step and every step may be made twice, so that a rotation that
 * was interrupted is continued where it stands; nothing is ever undone. Rejects at the first step
 * that fails, and keeps the state unless nothing had been changed yet.
 *
 * @throws SETTINGS_ROTATION_IMPOSSIBLE, SETTINGS_ROTATION_UNCHANGED, errors of the settings client
 */
export async function rotate(
  number: NumberConfig,
  deps: RotationDeps,
  unfinished?: RotationState,
): Promise<RotationResult> {
  const { client, store, journal, who, clock } = deps
  if (number.sipPassword) throw impossible(number, 'sip_password is set in the configuration')
  let state: RotationState = unfinished ?? {
    number: number.name,
    phoneNumberId: number.phoneNumberId,
    step: 'drain',
    startedAt: clock.now(),
  }

  function enter(step: RotationStep, more: Partial<RotationState> = {}): RotationState {
    state = { ...state, ...more, step }
    store.save(state)
    journal.record({ number: number.name, who, action: 'rotate', after: { step } })
    deps.onStep?.(state)
    return state
  }

  /** The settings as they are to be again, read once the calls have gone. */
  async function drained(): Promise<RotationSnapshot> {
    try {
      await deps.drain()
      const before = snapshotOf(await client.read(number), number, deps)
      if (before) return before
      throw impossible(number, `no server for ${deps.context.domain}`)
    } catch (error) {
      // Nothing was changed: there is nothing to continue.
      store.remove(number.name)
      throw error
    }
  }

  async function untilOff(): Promise<RotationSnapshot> {
    if (state.step !== 'drain' && state.before) return state.before
    enter('drain')
    const before = await drained()
    enter('disable', { before, disabledAt: clock.now() })
    return before
  }

  async function disable(): Promise<void> {
    const again = unfinished?.step === 'disable'
    if (again) enter('disable')
    try {
      await client.write(number, DISABLE)
    } catch (error) {
      const refused = error instanceof GraphError && !error.transient
      if (refused && !again) store.remove(number.name)
      throw error
    }
  }

  const before = await untilOff()
  const first = ROTATION_STEPS.indexOf(state.step)
  for (const step of ROTATION_STEPS.slice(first)) {
    if (step === 'disable') {
      await disable()
    } else if (step === 'clear') {
      enter(step)
      await client.write(number, CLEAR)
    } else if (step === 'add') {
      enter(step)
      await client.write(number, addPatch(before))
    } else if (step === 'enable') {
      enter(step)
      await client.write(number, enablePatch(before))
    } else if (step === 'read') {
      enter(step, { enabledAt: state.enabledAt ?? clock.now() })
    }
  }
  return await finish(number, deps, state, before)
}

async function finish(
  number: NumberConfig,
  deps: RotationDeps,
  state: RotationState,
  before: RotationSnapshot,
): Promise<RotationResult> {
  const { client, store } = deps
  let actual = await client.read(number)
  if (before.srtp && actual.srtp_key_exchange_protocol !== before.srtp) {
    // A write of `sip` has been seen to reset the key exchange.
    await client.write(number, { srtp_key_exchange_protocol: before.srtp })
    actual = await client.read(number)
  }
  const server = ownServer(actual, deps.context.domain)
  const password = server?.sip_user_password
  if (!server || !password) {
    const detail = `no password for ${deps.context.domain}`
    throw new CausewayError('SETTINGS_CREDENTIALS_MISSING', { detail, place: place(number) })
  }
  store.remove(number.name)
  if (!isNew(password, before)) {
    throw new CausewayError('SETTINGS_ROTATION_UNCHANGED', { place: place(number) })
  }
  const { disabledAt = 0, enabledAt = 0 } = state
  return { password, app: server.app_id ?? '', window: enabledAt - disabledAt, actual }
}

function impossible(number: NumberConfig, detail: string): CausewayError {
  return new CausewayError('SETTINGS_ROTATION_IMPOSSIBLE', { detail, place: place(number) })
}
