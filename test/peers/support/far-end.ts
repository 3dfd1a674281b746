import { NgClient, type NgDictionary } from '../../../src/media/rtpengine/client.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { systemRandom } from '../../../src/shared/random.ts'

/** How a far end speaks. */
export interface FarEndOptions {
  /** With an ICE-lite agent as WhatsApp's relay has it, with a full one, without ICE; or no DTLS. */
  ice: 'lite' | 'full' | 'none' | 'plain'
  /** A codec it speaks instead of the endpoint's PCMA. */
  codec?: string
}

const ICE = /^a=(?:ice-|candidate:|end-of-candidates).*\r\n/gm

/**
 * An rtpengine as the party of a call: in front of an endpoint that speaks plain RTP, it turns the
 * endpoint's descriptions into its own, with DTLS or another codec, and back.
 */
export class FarEnd {
  readonly #client: NgClient
  readonly #call: NgDictionary
  readonly #options: FarEndOptions

  /** @param ngPort control port of the rtpengine, on 127.0.0.1 */
  constructor(ngPort: number, callId: string, options: FarEndOptions) {
    this.#client = new NgClient('127.0.0.1', ngPort, { clock: systemClock, random: systemRandom })
    this.#call = { 'call-id': callId }
    this.#options = options
  }

  /** Our offer to the party under test, of the endpoint's own; its answer goes to {@link completed}. */
  offer(plain: string): Promise<string> {
    return this.#ask('offer', {
      ...this.#call,
      'from-tag': 'endpoint',
      sdp: plain,
      'ICE-lite': 'forward',
      ...this.#secure(),
    })
  }

  /** Takes the answer to our offer; gives the one for the endpoint. */
  completed(answer: string): Promise<string> {
    return this.#ask('answer', {
      ...this.#call,
      'from-tag': 'endpoint',
      'to-tag': 'party',
      sdp: answer,
      flags: ['trust address'],
    })
  }

  /** Takes the offer of the party under test; gives the one for the endpoint. */
  offered(offer: string): Promise<string> {
    return this.#ask('offer', {
      ...this.#call,
      'from-tag': 'party',
      // A party without ICE overlooks its lines.
      sdp: this.#options.ice === 'none' ? offer.replace(ICE, '') : offer,
      'transport-protocol': 'RTP/AVP',
      ICE: 'remove',
      'ICE-lite': 'backward',
      'rtcp-mux': ['demux'],
      ...this.#converted((codec) => ({ transcode: ['PCMA'], mask: [codec] })),
    })
  }

  /** Our answer, of the endpoint's own. */
  answer(plain: string): Promise<string> {
    return this.#ask('answer', {
      ...this.#call,
      'from-tag': 'party',
      'to-tag': 'endpoint',
      sdp: plain,
      'rtcp-mux': ['accept'],
    })
  }

  /** Ends the call. */
  async close(): Promise<void> {
    await this.#client.request('delete', this.#call).catch(() => {})
    this.#client.close()
  }

  #converted(how: (codec: string) => NgDictionary): NgDictionary {
    const { codec } = this.#options
    return codec === undefined ? {} : { codec: how(codec) }
  }

  #secure(): NgDictionary {
    if (this.#options.ice === 'plain') {
      return this.#converted((codec) => ({ transcode: [codec], mask: ['PCMA'] }))
    }
    return {
      'transport-protocol': 'UDP/TLS/RTP/SAVPF',
      ICE: this.#options.ice === 'none' ? 'remove' : 'force',
      SDES: ['off'],
      'rtcp-mux': ['offer'],
    }
  }

  async #ask(command: string, parameters: NgDictionary): Promise<string> {
    const lite = this.#options.ice === 'lite'
    const { 'ICE-lite': kind, ...others } = parameters
    const reply = await this.#client.request(command, {
      ...others,
      ...(lite && kind !== undefined ? { 'ICE-lite': kind } : {}),
    })
    return String(reply['sdp'])
  }
}
