/** A SIP message as a foreign stack sees it: nothing is shared with the product's own parser. */
export class Sip {
  readonly raw: string
  readonly start: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string

  constructor(raw: string) {
    this.raw = raw
    const end = raw.indexOf('\r\n\r\n')
    const [start = '', ...lines] = raw.slice(0, end).split('\r\n')
    this.start = start
    this.headers = lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const
    })
    this.body = raw.slice(end + 4)
  }

  /** Values of every header with this name, in order. */
  all(name: string): string[] {
    const wanted = name.toLowerCase()
    return this.headers.filter(([key]) => key.toLowerCase() === wanted).map(([, value]) => value)
  }

  /** The first value, or an empty string. */
  get(name: string): string {
    return this.all(name)[0] ?? ''
  }

  /** Method of a request, or undefined. */
  get method(): string | undefined {
    return this.start.startsWith('SIP/2.0 ') ? undefined : this.start.split(' ')[0]
  }

  /** Request-URI. */
  get uri(): string {
    return this.start.split(' ')[1] ?? ''
  }

  /** Status of a response, or 0. */
  get status(): number {
    return this.method === undefined ? Number(this.start.split(' ')[1]) : 0
  }

  get callId(): string {
    return this.get('Call-ID')
  }

  /** Method named by CSeq. */
  get cseqMethod(): string {
    return this.get('CSeq').split(/\s+/)[1] ?? ''
  }

  get cseq(): number {
    return Number(this.get('CSeq').split(/\s+/)[0])
  }
}

/** Inside of the angle brackets, or all of it. */
export const bare = (value: string): string => /<([^>]*)>/.exec(value)?.[1] ?? value
/** The tag parameter. */
export const tagOf = (value: string): string => /;tag=([^;]*)/.exec(value)?.[1] ?? ''
/** The branch of a Via. */
export const branchOf = (value: string): string => /;branch=([^;]*)/.exec(value)?.[1] ?? ''

let counter = 0
/** A token not used before. */
export const fresh = (prefix: string): string =>
  `${prefix}${process.pid.toString(36)}${Date.now().toString(36)}${(counter++).toString(36)}`

/** Writes a message with its Content-Length; undefined header values are left out. */
export function write(
  start: string,
  headers: readonly (readonly [string, string | undefined])[],
  body = '',
): string {
  const lines = headers.filter(([, value]) => value !== undefined).map(([k, v]) => `${k}: ${v}`)
  const length = `Content-Length: ${Buffer.byteLength(body)}`
  return [start, ...lines, length, '', body].join('\r\n')
}

/** A response to a request: the headers RFC 3261 §8.2.6 wants, then `headers`. */
export function response(
  request: Sip,
  line: string,
  options: { tag?: string; headers?: [string, string][]; body?: string } = {},
): string {
  const { tag, headers = [], body = '' } = options
  const to = request.get('To')
  const tagged = tag === undefined || tagOf(to) !== '' ? to : `${to};tag=${tag}`
  return write(
    `SIP/2.0 ${line}`,
    [
      ...request.all('Via').map((value) => ['Via', value] as const),
      ...request.all('Record-Route').map((value) => ['Record-Route', value] as const),
      ['From', request.get('From')],
      ['To', tagged],
      ['Call-ID', request.callId],
      ['CSeq', request.get('CSeq')],
      ...(body === '' ? [] : [['Content-Type', 'application/sdp'] as const]),
      ...headers,
    ],
    body,
  )
}
