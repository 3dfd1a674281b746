import {
  type Config,
  ConfigErrors,
  ConfigIssue,
  type ParseOptions,
  parseConfig,
} from '../../src/config/index.ts'

/** A valid file without warnings; {@link issuesOf} and {@link configOf} edit it. */
export const VALID = `sip:
  domain: sip.example.com
  listen:
    whatsapp: tls://0.0.0.0:5061
    pbx: [udp://10.0.0.5:5060]
  tls: { cert: tls/cert.pem, key: tls/key.pem }
media:
  relay: none
numbers:
  - name: support
    phone_number: "+441632960123"
    phone_number_id: "106540352242922"
    access_token: token-of-support
    calling:
      srtp_key_exchange_protocol: SDES
      sip: { status: ENABLED }
    inbound:
      trunk: main
trunks:
  - name: main
    targets: ["sip:10.0.0.9:5060"]
    media: { srtp: sdes }
    outbound: { number: support }
`

const OFFLINE: ParseOptions = { file: '/etc/causeway/c.yaml', env: {}, readFile: () => 'x' }

/** Replaces pieces of {@link VALID}; each must be there. */
export function edit(...changes: [from: string, to: string][]): string {
  let text = VALID
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`not in the file: ${from}`)
    text = text.replace(from, () => to)
  }
  return text
}

/**
 * Everything said about a text. An error has to name what was found and what is expected, whatever it is
 * about; YAML that does not parse alone is spared.
 */
export function issuesOf(text: string, options: ParseOptions = {}) {
  const all = { ...OFFLINE, ...options }
  try {
    const { warnings } = parseConfig(text, all)
    return { errors: [] as ConfigIssue[], warnings: warnings as ConfigIssue[] }
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error
    const errors = error.errors as ConfigIssue[]
    for (const { code, place, found, expected } of errors) {
      if (code === 'CONFIG_YAML_SYNTAX' || (found && expected)) continue
      throw new Error(`${code} at ${place} names found ${found}, expected ${expected}`)
    }
    return { errors, warnings: error.warnings as ConfigIssue[] }
  }
}

/** The configuration of a valid text. */
export function configOf(text: string, options: ParseOptions = {}): Config {
  return parseConfig(text, { ...OFFLINE, ...options }).config
}

/** `CODE line:column path` of an issue. */
export function brief(issue: ConfigIssue): string {
  if (!(issue instanceof ConfigIssue)) throw new Error('not an issue with a place')
  return `${issue.code} ${issue.line}:${issue.column} ${issue.path}`.trim()
}
