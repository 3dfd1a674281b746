import { SUITES, type Suite } from '../../media/anchor/types.ts'
import type { Crypto } from '../../media/sdp/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Random } from '../../shared/random.ts'
import type { Secret } from '../../shared/secret.ts'
import {
  createSrtpReceiver,
  createSrtpSender,
  generateKey,
  type SrtpReceiver,
  type SrtpSender,
} from '../srtp/index.ts'

interface Outgoing {
  suite: Suite
  key: Secret
  sender: SrtpSender
}

interface Incoming {
  suite: Suite
  key: Secret
  mkiLength: number
  receiver: SrtpReceiver
}

/**
 * The keys of one leg by SDES (RFC 4568): each side names the key it sends with. A later offer or
 * answer with the same key keeps the cipher's state; another key goes on with the packet index of
 * the former one. A line that cannot be used changes nothing.
 */
export class Sdes {
  readonly #random: Random
  /** Our lines of the last offer, tags from 1. */
  #offered: Crypto[] = []
  #outgoing: Outgoing | undefined
  #incoming: Incoming | undefined

  constructor(random: Random) {
    this.#random = random
  }

  get sender(): SrtpSender | undefined {
    return this.#outgoing?.sender
  }

  get receiver(): SrtpReceiver | undefined {
    return this.#incoming?.receiver
  }

  get suite(): Suite | undefined {
    return this.#outgoing?.suite
  }

  /** Our lines for an offer; the suite in use keeps its key, as those of an earlier offer do. */
  offer(suites: readonly Suite[]): Crypto[] {
    this.#offered = suites.map((suite, index) => line(index + 1, suite, this.#keyFor(suite)))
    return this.#offered
  }

  /**
   * Takes the answer's one line.
   *
   * @throws CausewayError `MEDIA_SRTP_KEY`
   */
  accept(crypto: readonly Crypto[]): void {
    const chosen = crypto[0]
    if (!chosen) throw unusable('the answer has no crypto line')
    const suite = suiteOf(chosen)
    const ours =
      this.#offered.find(({ tag, suite }) => tag === chosen.tag && suite === chosen.suite) ??
      this.#offered.find(({ suite }) => suite === chosen.suite)
    if (!ours) throw unusable(`${chosen.suite} was not offered`)
    this.#take(this.#incomingOf(chosen, suite), this.#outgoingOf(suite, ours.key))
  }

  /**
   * Takes the line of an offer that was chosen, and gives ours for the answer.
   *
   * @throws CausewayError `MEDIA_SRTP_KEY`
   */
  answer(crypto: readonly Crypto[], tag: number | undefined, suites: readonly Suite[]): Crypto {
    const chosen =
      crypto.find(
        (line) => line.tag === tag && (suites as readonly string[]).includes(line.suite),
      ) ?? crypto.find((line) => (suites as readonly string[]).includes(line.suite))
    if (!chosen) throw unusable('the offer has no crypto line of the chosen suite')
    const suite = suiteOf(chosen)
    const key = this.#keyFor(suite)
    this.#take(this.#incomingOf(chosen, suite), this.#outgoingOf(suite, key))
    return line(chosen.tag, suite, key)
  }

  #take(incoming: Incoming, outgoing: Outgoing): void {
    this.#incoming = incoming
    this.#outgoing = outgoing
  }

  #keyFor(suite: Suite): Secret {
    if (this.#outgoing?.suite === suite) return this.#outgoing.key
    const offered = this.#offered.find((line) => line.suite === suite)
    return offered?.key ?? generateKey(suite, this.#random)
  }

  #incomingOf(crypto: Crypto, suite: Suite): Incoming {
    const mkiLength = mkiLengthOf(crypto)
    const now = this.#incoming
    const same = now?.suite === suite && now.key.equals(crypto.key) && now.mkiLength === mkiLength
    if (same) return now
    const receiver = attempt(() =>
      createSrtpReceiver(suite, crypto.key, mkiLength, now && { continueFrom: now.receiver }),
    )
    return { suite, key: crypto.key, mkiLength, receiver }
  }

  #outgoingOf(suite: Suite, key: Secret): Outgoing {
    const now = this.#outgoing
    if (now?.suite === suite && now.key.equals(key)) return now
    const sender = attempt(() => createSrtpSender(suite, key, now && { continueFrom: now.sender }))
    return { suite, key, sender }
  }
}

function line(tag: number, suite: Suite, key: Secret): Crypto {
  return { tag, suite, key, lifetime: undefined, mki: undefined, sessionParameters: '' }
}

function suiteOf(crypto: Crypto): Suite {
  const suite = SUITES.find((known) => known === crypto.suite)
  if (!suite) throw unusable(`suite ${crypto.suite} is unknown`)
  return suite
}

/** Octets of the MKI in the remote's packets (RFC 4568 §6.1): the second number of `1:4`. */
function mkiLengthOf(crypto: Crypto): number {
  const length = Number(crypto.mki?.split(':')[1] ?? 0)
  if (!Number.isInteger(length) || length < 0 || length > 128) throw unusable(`MKI ${crypto.mki}`)
  return length
}

function attempt<T>(make: () => T): T {
  try {
    return make()
  } catch (cause) {
    if (cause instanceof CausewayError) throw cause
    throw new CausewayError('MEDIA_SRTP_KEY', { detail: String(cause), cause })
  }
}

function unusable(detail: string): CausewayError {
  return new CausewayError('MEDIA_SRTP_KEY', { detail })
}
