import type { Random } from '../../shared/random.ts'
import { withoutPlus } from '../party.ts'

/** What a consumer's phone does when the business calls. */
export interface CallScript {
  /**
   * `answer`, `decline` (486), `unanswered` (480 after ringing), `unreachable` (480 at once, no
   * 180), `error` (503).
   */
  action: 'answer' | 'decline' | 'unanswered' | 'unreachable' | 'error'
  /** Milliseconds from 100 Trying to the answer or refusal. Default 1000; 45 s for `unanswered`. */
  after?: number
  /** Milliseconds from the answer until the consumer hangs up; undefined: never. */
  hangupAfter?: number
}

/** A WhatsApp user as calls show them. */
export interface Consumer {
  /** Digits of the E.164 number, or a BSUID. */
  id: string
  /** Profile name; real traffic shows it in From. Default: the digits. */
  name: string
  /** ISO country. */
  country: string
  /** Business-scoped user ID. */
  userId: string
  parentUserId: string | undefined
  username: string | undefined
  /** Hides the number: From, Contact and To carry the BSUID. */
  hidesNumber: boolean
  script: CallScript
}

const PREFIXES: [string, string][] = [
  ['1', 'US'],
  ['31', 'NL'],
  ['33', 'FR'],
  ['34', 'ES'],
  ['39', 'IT'],
  ['44', 'GB'],
  ['49', 'DE'],
  ['52', 'MX'],
  ['55', 'BR'],
  ['62', 'ID'],
  ['91', 'IN'],
]

/** Milliseconds a consumer takes to pick up unless scripted. */
export const DEFAULT_ANSWER = 1000

/** Consumers by number or BSUID, made on first use with a stable BSUID. */
export class ConsumerBook {
  readonly #random: Random
  readonly #byId = new Map<string, Consumer>()
  readonly #byUserId = new Map<string, Consumer>()

  constructor(random: Random) {
    this.#random = random
  }

  /** The consumer of a number (with or without `+`) or BSUID. */
  get(party: string): Consumer {
    const id = withoutPlus(party)
    const known = this.#byId.get(id) ?? this.#byUserId.get(id)
    if (known) return known
    const bsuid = /^[A-Z]{2}\.\w+$/.test(id)
    const country = bsuid ? id.slice(0, 2) : countryOf(id)
    let serial = ''
    for (let i = 0; i < 20; i++) serial += this.#random.int(i === 0 ? 1 : 0, 10)
    const consumer: Consumer = {
      id,
      name: id,
      country,
      userId: bsuid ? id : `${country}.${serial}`,
      parentUserId: undefined,
      username: undefined,
      hidesNumber: bsuid,
      script: { action: 'answer' },
    }
    this.#byId.set(id, consumer)
    this.#byUserId.set(consumer.userId, consumer)
    return consumer
  }

  /** Changes what is given; `id` stays. */
  update(party: string, changes: Partial<Omit<Consumer, 'id'>>): Consumer {
    const consumer = this.get(party)
    this.#byUserId.delete(consumer.userId)
    Object.assign(consumer, changes)
    this.#byUserId.set(consumer.userId, consumer)
    return consumer
  }

  all(): Consumer[] {
    return [...this.#byId.values()]
  }
}

/** User part of a consumer's URI: `+E.164`, or the BSUID when the number may not be shown. */
export function userPart(consumer: Consumer): string {
  return consumer.hidesNumber ? consumer.userId : `+${consumer.id}`
}

function countryOf(digits: string): string {
  let found = 'US'
  let length = 0
  for (const [prefix, country] of PREFIXES) {
    if (prefix.length > length && digits.startsWith(prefix)) {
      found = country
      length = prefix.length
    }
  }
  return found
}
