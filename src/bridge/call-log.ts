import type { Call } from '../calls/index.ts'
import type { Logger } from '../shared/log.ts'

/** What of a call its log lines need. */
export type LoggedCall = Pick<Call, 'id' | 'direction' | 'number' | 'trunk' | 'whatsapp'>

/** The fields every log line of a call carries. */
export function callFields({ id, direction, number, trunk, whatsapp }: LoggedCall) {
  return { call: id, direction, number, trunk, wacid: whatsapp.wacid }
}

interface Child {
  logger: Logger
  trunk: string
  wacid: string | undefined
}

/** One child logger for each call; made when the call first has something to say. */
export class CallLogs {
  readonly #log: Logger
  readonly #children = new WeakMap<LoggedCall, Child>()

  constructor(log: Logger) {
    this.#log = log
  }

  /** The logger of a call, with the fields as they are now: the trunk changes, the wacid is learned. */
  of(call: LoggedCall): Logger {
    const { trunk } = call
    const { wacid } = call.whatsapp
    let child = this.#children.get(call)
    if (!child || child.trunk !== trunk || child.wacid !== wacid) {
      child = { logger: this.#log.child(callFields(call)), trunk, wacid }
      this.#children.set(call, child)
    }
    // A reload changes the level of the parent alone.
    if (child.logger.level !== this.#log.level) child.logger.level = this.#log.level
    return child.logger
  }
}
