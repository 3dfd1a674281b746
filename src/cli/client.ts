import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { nearOf } from '../config/addresses.ts'
import { ConfigErrors } from '../config/index.ts'
import type { Config, ListenAddress } from '../config/types.ts'
import { CausewayError, catalogue, type ErrorCode } from '../shared/errors/index.ts'
import { formatHostPort } from '../shared/host-port.ts'
import { Secret } from '../shared/secret.ts'
import type { Io } from './io.ts'
import { CONFIG_OPTION, CONFIG_USAGE, load } from './load.ts'
import { formatCounts } from './report.ts'
import { UsageError } from './verb.ts'

/** The options of every verb that talks to a running instance. */
export const INSTANCE_OPTIONS = {
  ...CONFIG_OPTION,
  url: { type: 'string' },
  'token-file': { type: 'string' },
} as const

/** What help pages say about them. */
export const INSTANCE_USAGE = `${CONFIG_USAGE}; says
                      where the instance listens (http.listen), and its token
      --url URL       where the instance listens; the configuration is then not
                      read
      --token-file F  file with the token, instead of http.token`

/** Milliseconds an instance may take to answer. */
const PATIENCE = 10_000

/** Values of {@link INSTANCE_OPTIONS}. */
export interface InstanceValues {
  config: string
  url?: string | undefined
  'token-file'?: string | undefined
}

/** An answer: HTTP status and the JSON of the body. */
export interface Answer<T> {
  status: number
  body: T
}

/** The HTTP API of one running instance. */
export class Client {
  /** Base URL without a trailing slash. */
  readonly url: string
  readonly #token: Secret | undefined
  readonly #signal: AbortSignal

  constructor(url: string, token: Secret | undefined, signal: AbortSignal) {
    this.url = url
    this.#token = token
    this.#signal = signal
  }

  /**
   * GETs a path and gives the body.
   *
   * @throws CausewayError `APP_UNREACHABLE`, or the error the instance answered
   */
  async get<T>(path: string): Promise<T> {
    return (await this.send<T>('GET', path)).body
  }

  /**
   * Sends a request; an answer whose status is in `expected` is given, whatever it says.
   *
   * @throws CausewayError `APP_UNREACHABLE`, or the error the instance answered
   */
  async send<T>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    expected: readonly number[] = [],
  ): Promise<Answer<T>> {
    const response = await this.#fetch(method, path)
    const body = await this.#json(response)
    if (response.ok || expected.includes(response.status)) {
      return { status: response.status, body: body as T }
    }
    throw (
      errorOf((body as { error?: unknown } | null)?.error) ??
      this.#stranger(`${method} ${path} answered ${response.status}`)
    )
  }

  /**
   * GETs a path whose answer is text of any length, as it comes.
   *
   * @throws CausewayError `APP_UNREACHABLE`, also when it breaks off, or the error the instance answered
   */
  async *stream(path: string): AsyncGenerator<string> {
    const response = await this.#fetch('GET', path, 0)
    if (!response.ok || !response.body) {
      const { error } = (await this.#json(response)) as { error?: unknown }
      throw errorOf(error) ?? this.#stranger(`GET ${path} answered ${response.status}`)
    }
    const decoder = new TextDecoder()
    try {
      for await (const bytes of response.body) yield decoder.decode(bytes, { stream: true })
    } catch (cause) {
      const detail = `${this.url}, the answer broke off: ${reasonOf(cause)}`
      throw new CausewayError('APP_UNREACHABLE', { detail, cause })
    }
  }

  /**
   * GETs a path whose answer is a file.
   *
   * @throws CausewayError as {@link Client.get}
   */
  async download(path: string): Promise<Buffer> {
    const response = await this.#fetch('GET', path)
    if (response.ok) {
      try {
        return Buffer.from(await response.arrayBuffer())
      } catch (cause) {
        const detail = `${this.url}, the answer broke off: ${reasonOf(cause)}`
        throw new CausewayError('APP_UNREACHABLE', { detail, cause })
      }
    }
    const body = await this.#json(response)
    throw (
      errorOf((body as { error?: unknown } | null)?.error) ??
      this.#stranger(`GET ${path} answered ${response.status}`)
    )
  }

  /** @param patience milliseconds for the whole answer; 0: as long as it takes */
  async #fetch(method: string, path: string, patience = PATIENCE): Promise<Response> {
    const authorization = this.#token && `Bearer ${this.#token.reveal()}`
    try {
      return await fetch(`${this.url}${path}`, {
        method,
        headers: authorization ? { authorization } : {},
        redirect: 'manual',
        signal:
          patience > 0
            ? AbortSignal.any([this.#signal, AbortSignal.timeout(patience)])
            : this.#signal,
      })
    } catch (cause) {
      throw new CausewayError('APP_UNREACHABLE', {
        detail: `${this.url}, ${reasonOf(cause)}`,
        cause,
      })
    }
  }

  async #json(response: Response): Promise<unknown> {
    const type = response.headers.get('content-type') ?? ''
    if (!/\bjson\b/.test(type)) {
      await response.body?.cancel()
      throw this.#stranger(`it answered ${response.status} with ${type || 'no type'}, not JSON`)
    }
    try {
      return await response.json()
    } catch (cause) {
      throw new CausewayError('APP_UNREACHABLE', {
        detail: `${this.url}, the answer broke off: ${reasonOf(cause)}`,
        cause,
      })
    }
  }

  #stranger(detail: string): CausewayError {
    return new CausewayError('APP_UNREACHABLE', { detail: `${this.url}, ${detail}` })
  }
}

/** Who has been told already that the configuration has errors. */
const told = new WeakSet<Io>()

/**
 * The instance the options name: `--url`, else `http.listen` of the configuration. Errors elsewhere in
 * the file are no obstacle: the instance runs with what it read before, or in an environment that has the
 * variables and may read the secrets.
 *
 * @throws ConfigErrors of the section `http`, UsageError of a URL or token file that is none
 */
export function connect(values: InstanceValues, io: Io): Client {
  const token = tokenIn(values['token-file'], io)
  if (values.url !== undefined) return new Client(baseUrl(values.url), token, io.signal)
  const http = httpOf(values.config, io)
  return new Client(urlOf(http.listen), token ?? http.token, io.signal)
}

function httpOf(file: string, io: Io): Config['http'] {
  try {
    return load(file, io, { expired: 'warning' }).config.http
  } catch (error) {
    if (!(error instanceof ConfigErrors) || !error.http) throw error
    if (!told.has(io)) {
      told.add(io)
      const counts = formatCounts(error.errors.length, 0)
      io.stderr.write(
        `note: ${file} has ${counts} as read here; causeway config check shows more\n`,
      )
    }
    return error.http
  }
}

function tokenIn(file: string | undefined, io: Io): Secret | undefined {
  if (file === undefined) return undefined
  try {
    const text = readFileSync(resolve(io.cwd, file), 'utf8').trim()
    if (text !== '') return new Secret(text)
  } catch (error) {
    throw new UsageError(`--token-file ${file}: ${(error as Error).message}`)
  }
  throw new UsageError(`--token-file ${file}: the file is empty`)
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`--url ${text}: expected a URL such as http://127.0.0.1:8080`)
  }
  if (url.username || url.password) throw new UsageError('--url: a token goes into --token-file')
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

/** Where to reach a listener: an instance on every address is reached on loopback. */
function urlOf({ host, port }: Pick<ListenAddress, 'host' | 'port'>): string {
  if (port === 0) {
    throw new UsageError('http.listen leaves the port to the system: name the instance with --url')
  }
  return `http://${formatHostPort(nearOf(host), port)}`
}

/** The coded error an answer holds, brought back from its JSON; undefined when it is none. */
export function errorOf(json: unknown): CausewayError | undefined {
  const { code, detail, place } = (json ?? {}) as Record<'code' | 'detail' | 'place', unknown>
  if (typeof code !== 'string' || !Object.hasOwn(catalogue, code)) return undefined
  return new CausewayError(code as ErrorCode, {
    ...(typeof detail === 'string' ? { detail } : {}),
    ...(typeof place === 'string' ? { place } : {}),
  })
}

function reasonOf(error: unknown): string {
  const { name, cause, message } = error as Error & { cause?: Error & { code?: string } }
  if (name === 'TimeoutError') return `no answer in ${PATIENCE / 1000} s`
  if (name === 'AbortError') return 'interrupted'
  return cause?.code ?? cause?.message ?? message
}
