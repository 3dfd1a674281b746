import { openRecords } from '../../app/index.ts'
import type { Config } from '../../config/types.ts'
import type { RotationView } from '../../http/index.ts'
import {
  createSettingsClient,
  desiredContext,
  recordingClient,
  rotate,
  unfinishedRotation,
} from '../../settings/index.ts'
import { systemClock as clock } from '../../shared/clock.ts'
import { CausewayError, isCausewayError } from '../../shared/errors/index.ts'
import { createLogger } from '../../shared/log.ts'
import { systemRandom as random } from '../../shared/random.ts'
import type { Output } from '../io.ts'
import type { Progress } from './progress.ts'

const WHO = 'cli numbers rotate'

/**
 * Rotates the password of a number without an instance: there are no calls to wait for.
 *
 * @throws CausewayError APP_NUMBER_UNKNOWN, SETTINGS_RECORDS_UNUSABLE, SETTINGS_ROTATION_UNFINISHED,
 * SETTINGS_ROTATION_NONE
 */
export async function rotateDirectly(
  config: Config,
  name: string,
  resume: boolean,
  progress: Progress,
  warnings: Output,
): Promise<RotationView> {
  const number = config.numbers.find((one) => one.name === name)
  if (!number) throw new CausewayError('APP_NUMBER_UNKNOWN', { place: name })
  const log = createLogger({ level: 'warn', numbers: config.log.numbers, destination: warnings })
  const records = openRecords(config.records, { clock, random, log })
  const view: RotationView = {
    number: name,
    state: 'running',
    steps: [],
    calls: 0,
    unfinished: true,
    window_ms: null,
    error: null,
  }
  const client = createSettingsClient({ whatsapp: config.whatsapp, clock, random, log })
  try {
    const unfinished = unfinishedRotation(records.rotations, number, resume)
    const result = await rotate(
      number,
      {
        client: recordingClient(client, records.journal, WHO),
        store: records.rotations,
        journal: records.journal,
        who: WHO,
        clock,
        random,
        context: desiredContext(config),
        drain: async () => {},
        onStep: ({ step }) => {
          const at = clock.now()
          view.steps.push({ step, at: new Date(at).toISOString() })
          progress.step(step, at, step === 'drain' ? 'no calls are known here' : undefined)
        },
      },
      unfinished,
    )
    records.vault.keep(number, result.app, { password: result.password, at: clock.now() })
    return { ...view, state: 'done', unfinished: false, window_ms: result.window }
  } catch (error) {
    if (!isCausewayError(error) || view.steps.length === 0) throw error
    const unfinished = records.rotations.load(name) !== undefined
    return { ...view, state: 'failed', unfinished, error }
  } finally {
    await client.close()
    records.close()
  }
}
