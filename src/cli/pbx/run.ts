import { resolve } from 'node:path'
import type { Config, SipTransport, TrunkConfig } from '../../config/types.ts'
import { type Generated, type PbxKind, type PbxOptions, pbxConfiguration } from '../../pbx/index.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { nearest } from '../../shared/nearest.ts'
import type { Io } from '../io.ts'
import { CONFIG_OPTION, CONFIG_USAGE, load } from '../load.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, UsageError } from '../verb.ts'
import { type Written, writeFiles } from './write.ts'

const OPTIONS = {
  ...CONFIG_OPTION,
  trunk: { type: 'string' },
  output: { type: 'string', short: 'o' },
  force: { type: 'boolean', default: false },
  host: { type: 'string' },
  over: { type: 'string' },
  extension: { type: 'string', default: '1001' },
  transport: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  ca: { type: 'string' },
  secrets: { type: 'boolean', default: false },
} as const

/** What a PBX's verb says of it. */
export interface PbxVerb {
  kind: PbxKind
  /** As people write it. */
  name: string
  /** Where its configuration lies. */
  folder: string
}

/** The options both verbs have, for their help pages. */
export const PBX_USAGE = `${CONFIG_USAGE}
      --trunk NAME    one trunk; default: all of them
  -o, --output DIR    write the files into DIR, mode 0600, with passwords; a
                      file there that says something else is kept, and nothing
                      written, unless --force is given
      --force         replace files that say something else
      --host HOST     name or address the PBX reaches Causeway at; default: by
                      sip.listen.pbx
      --over TRANSPORT  udp, tcp or tls, for a PBX that registers; default: tls
                      with srtp: sdes where sip.listen.pbx has it, else its
                      first
      --extension EXT what rings: 1001, or 600@ivr for an extension of a context
                      (default: 1001)`

/** The last of them. */
export const PBX_OUTPUT_USAGE = `      --secrets       print passwords; without it they show as [redacted]
      --json          one JSON object: { ok, pbx, files: [{ name, about,
                      contents, path }], notes }`

/** Runs `causeway pbx …`. */
export async function runPbx(pbx: PbxVerb, args: readonly string[], io: Io): Promise<number> {
  const { values } = parseVerbArgs(args, OPTIONS)
  if (values.transport !== undefined && pbx.kind !== 'asterisk') {
    throw new UsageError('--transport is for Asterisk')
  }
  const { config } = load(values.config, io)
  const trunks = chosen(config, values.trunk)
  const options = {
    host: checked('host', values.host, /^[\w.:[\]-]+$/)?.replace(/^\[|\]$/g, ''),
    over: transportOf(values.over),
    extension: checked('extension', values.extension, /^[\w.+*#-]+(@[\w-]+)?$/)!,
    transport: checked('transport', values.transport, /^[\w.-]+$/),
    cert: values.cert ?? `${pbx.folder}/keys/fullchain.pem`,
    key: values.key ?? `${pbx.folder}/keys/privkey.pem`,
    ca: values.ca ?? '/etc/ssl/certs/ca-certificates.crt',
  }
  const make = (reveal: boolean): Generated => {
    const secret: PbxOptions['secret'] = (value) => (reveal ? value.reveal() : String(value))
    return pbxConfiguration(pbx.kind, config, trunks, { ...options, secret })
  }
  const written =
    values.output === undefined
      ? undefined
      : writeFiles(resolve(io.cwd, values.output), make(true).files, values.force)
  print(pbx, make(values.secrets), { written, json: values.json }, io)
  return EXIT.done
}

function transportOf(value: string | undefined): SipTransport | undefined {
  if (value === undefined || value === 'udp' || value === 'tcp' || value === 'tls') return value
  throw new UsageError(`--over is udp, tcp or tls, not ${value}`)
}

function chosen(config: Config, name: string | undefined): TrunkConfig[] {
  if (name === undefined) {
    if (config.trunks.length > 0) return config.trunks
    throw new CausewayError('APP_PBX_TRUNK', { detail: 'the configuration has no trunks' })
  }
  const trunk = config.trunks.find((one) => one.name === name)
  if (trunk) return [trunk]
  const names = config.trunks.map((one) => one.name)
  const close = nearest(name, names)
  const meant = close ? `did you mean ${close}?` : `there are ${names.join(', ') || 'none'}`
  throw new UsageError(`no trunk ${name}; ${meant}`)
}

function checked(option: string, value: string | undefined, form: RegExp): string | undefined {
  if (value === undefined || form.test(value)) return value
  throw new UsageError(`--${option} has a character the files of the PBX cannot take: ${value}`)
}

interface Output {
  written: Written[] | undefined
  json: boolean
}

function print(pbx: PbxVerb, made: Generated, { written, json }: Output, io: Io): void {
  if (json) {
    const files = made.files.map((file, index) => ({ ...file, path: written?.[index]?.path }))
    const result = { ok: true, pbx: pbx.kind, files, notes: made.notes }
    io.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
    return
  }
  const paint = paintFor(io.stdout, io.env)
  if (written) {
    for (const [index, { path, what }] of written.entries()) {
      io.stdout.write(`${what.padEnd(9)} ${paint('bold', path)}: ${made.files[index]!.about}\n`)
    }
    io.stdout.write(
      `Mode 0600: give them to the user ${pbx.name} runs as, then follow their first lines.\n`,
    )
  } else {
    const texts = made.files.map(
      ({ name, about, contents }) => `${paint('bold', `==> ${name}: ${about} <==`)}\n${contents}`,
    )
    io.stdout.write(texts.join('\n'))
  }
  const faint = paintFor(io.stderr, io.env)
  for (const note of made.notes) io.stderr.write(`${faint('yellow', 'note')}: ${note}\n`)
}
