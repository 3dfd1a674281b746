/** Steps of a SIPp scenario, as XML; see `node test/peers/freeswitch-behaviours.test.ts`. */
type Step = string

/** Media of FreeSWITCH in an offer or answer. */
export interface Media {
  /** Payload types of the m= line. */
  payloads?: string
  port?: number
  direction?: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'
  version?: number
}

const RTPMAPS: Record<string, string> = {
  '111': 'opus/48000/2',
  '8': 'PCMA/8000',
  '0': 'PCMU/8000',
  '101': 'telephone-event/8000',
}

/** A description as FreeSWITCH 1.10 writes it. */
export function sdp(media: Media = {}): string {
  const { payloads = '111 8 0 101', port = 16_384, direction = 'sendrecv', version = 1 } = media
  return [
    'v=0',
    `o=FreeSWITCH 1700000000 ${1_700_000_000 + version} IN IP4 127.0.0.1`,
    's=FreeSWITCH',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP ${payloads}`,
    ...payloads.split(' ').map((type) => `a=rtpmap:${type} ${RTPMAPS[type]}`),
    'a=ptime:20',
    `a=${direction}`,
  ].join('\n')
}

/** Headers every message of FreeSWITCH has. */
const SELF = [
  'Contact: <sip:gw+causeway@[local_ip]:[local_port];transport=udp>',
  'User-Agent: FreeSWITCH-mod_sofia/1.10',
  'Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REGISTER, REFER, NOTIFY',
  'Supported: timer, path, replaces',
]

/** Further headers and a body of a message. */
interface Extra {
  headers?: string[]
  body?: string
}

/** What is looked at in a message that comes: a regular expression in a header or the body. */
interface Check {
  in: string
  like: string
  /** Variable that keeps it. */
  as?: string
}

function message(lines: string[], { headers = [], body }: Extra): string {
  const type = body === undefined ? [] : ['Content-Type: application/sdp']
  const head = [...lines, ...headers, ...type, 'Content-Length: [len]']
  return `<![CDATA[\n${head.join('\n')}\n\n${body ?? ''}\n]]>`
}

/** A scenario: one call of FreeSWITCH's. */
export class FreeSwitch {
  readonly #role: 'callee' | 'caller'
  readonly #steps: Step[] = []
  /** Variables that checks assign to: SIPp wants each to be named once more. */
  readonly #variables: string[] = []
  #cseq: number

  private constructor(role: 'callee' | 'caller') {
    this.#role = role
    this.#cseq = role === 'callee' ? 100 : 1
  }

  /** Is called: INVITE, and 200 unless `until` adds more first. */
  static called(...what: Check[]): FreeSwitch {
    const scenario = new FreeSwitch('callee')
    const kept = { via: 'Via', peer: 'From', own: 'To', cseq: 'CSeq' }
    const keep = Object.entries(kept).map(
      ([name, header]) =>
        `<ereg regexp="[^ ].*" search_in="hdr" header="${header}:" assign_to="${name}"/>`,
    )
    const actions = scenario.#checked(what, keep.join(''))
    scenario.#variables.push(...Object.keys(kept))
    scenario.#steps.push(`<recv request="INVITE" rrs="true">${actions}</recv>`)
    return scenario
  }

  /** Calls [service]. */
  static calls(extra: Extra): FreeSwitch {
    const scenario = new FreeSwitch('caller')
    const lines = [
      'INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0',
      'Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]',
      'Max-Forwards: 70',
      'From: "1001" <sip:1001@[local_ip]:[local_port]>;tag=[pid]f[call_number]',
      'To: <sip:[service]@[remote_ip]:[remote_port]>',
      'Call-ID: [call_id]',
      'CSeq: 1 INVITE',
      ...SELF,
    ]
    scenario.#send(message(lines, extra), true)
    return scenario
  }

  /** Answers the INVITE it was called with. */
  answer(status: string, extra: Extra = {}): this {
    const lines = [
      `SIP/2.0 ${status}`,
      ...['Via: [$via]', 'From: [$peer]', 'To: [$own];tag=[pid]f[call_number]'],
      ...['Call-ID: [call_id]', 'CSeq: [$cseq]', ...SELF],
    ]
    return this.#send(message(lines, extra), status.startsWith('2'))
  }

  /** Answers a request in the dialog, whose To has the tag already. */
  reply(status: string): this {
    const lines = [`SIP/2.0 ${status}`, '[last_Via:]', '[last_From:]', '[last_To:]']
    return this.#send(message([...lines, '[last_Call-ID:]', '[last_CSeq:]'], {}), false)
  }

  /** A request in the dialog. */
  request(method: string, extra: Extra = {}): this {
    this.#cseq++
    return this.#send(this.#inDialog(method, this.#cseq, extra), true)
  }

  /** The ACK of the last INVITE. */
  ack(body?: string): this {
    return this.#send(this.#inDialog('ACK', this.#cseq, body === undefined ? {} : { body }), false)
  }

  /** A request comes. */
  expect(method: string, ...what: Check[]): this {
    this.#steps.push(`<recv request="${method}">${this.#checked(what)}</recv>`)
    return this
  }

  /** A response comes; 100 may come before it. */
  response(status: number, ...what: Check[]): this {
    this.#steps.push(
      '<recv response="100" optional="true"/>',
      `<recv response="${status}" rrs="true">${this.#checked(what)}</recv>`,
    )
    return this
  }

  pause(ms: number): this {
    this.#steps.push(`<pause milliseconds="${ms}"/>`)
    return this
  }

  /** Talks a moment and hangs up. */
  bye(): string {
    return this.pause(400).request('BYE').response(200).xml()
  }

  xml(): string {
    const variables = this.#variables
    const named = variables.length > 0 ? [`<Reference variables="${variables.join(',')}"/>`] : []
    const lines = ['<scenario name="FreeSWITCH">', ...this.#steps, ...named, '</scenario>']
    return `<?xml version="1.0" encoding="UTF-8"?>\n${lines.join('\n')}\n`
  }

  /** Looks at a message; `before` are further actions. A check that names a variable keeps what it finds. */
  #checked(what: Check[], before = ''): string {
    const lines = what.map((check) => {
      const name = check.as ?? `check${this.#variables.length}`
      this.#variables.push(name)
      const place =
        check.in === 'body' ? 'search_in="body"' : `search_in="hdr" header="${check.in}:"`
      return `<ereg regexp="${check.like}" ${place} check_it="true" assign_to="${name}"/>`
    })
    return before === '' && lines.length === 0 ? '' : `<action>${before}${lines.join('')}</action>`
  }

  #inDialog(method: string, cseq: number, extra: Extra): string {
    const self = '<sip:1001@[local_ip]:[local_port]>;tag=[pid]f[call_number]'
    const peer =
      this.#role === 'callee'
        ? '[$peer]'
        : '<sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]'
    const lines = [
      `${method} [next_url] SIP/2.0`,
      'Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]',
      '[routes]',
      'Max-Forwards: 70',
      `From: ${self}`,
      `To: ${peer}`,
      'Call-ID: [call_id]',
      `CSeq: ${cseq} ${method}`,
      ...SELF,
    ]
    return message(lines, extra)
  }

  #send(text: string, again: boolean): this {
    this.#steps.push(`<send${again ? ' retrans="500"' : ''}>${text}</send>`)
    return this
  }
}
