import { parseConfig } from '../../src/config/index.ts'
import type { Config } from '../../src/config/types.ts'
import {
  type Generated,
  type PbxKind,
  type PbxOptions,
  pbxConfiguration,
} from '../../src/pbx/index.ts'
import { edit } from '../support/config-file.ts'

/** What `causeway pbx` passes without options, with secrets shown. */
export const OPTIONS: PbxOptions = {
  host: undefined,
  over: undefined,
  extension: '1001',
  transport: undefined,
  cert: '/etc/asterisk/keys/fullchain.pem',
  key: '/etc/asterisk/keys/privkey.pem',
  ca: '/etc/ssl/certs/ca-certificates.crt',
  secret: (value) => value.reveal(),
}

/** A password with everything that means something in the files of a PBX. */
export const PASSWORD = 'a;b "c" <$${d}> & -- \\;e'

/** Lines of the trunk in the three ways of knowing each other. */
const MODES = {
  address: 'targets: ["sip:10.0.0.9:5060"]',
  'causeway-registers': `targets: ["sip:10.0.0.9:5060"]
    register: { registrar: "sip:10.0.0.9", username: wa, password: "\${PASSWORD}" }`,
  'pbx-registers':
    'accept: { username: pbx, password: "${PASSWORD}", registrations: true }\n    targets: []',
} as const

/** A configuration with one trunk `main` of that kind; further edits as in config-file.ts. */
export function trunkOf(
  mode: keyof typeof MODES,
  ...changes: [from: string, to: string][]
): Config {
  const text = edit([MODES.address, MODES[mode]], ...changes)
  const env = { PASSWORD }
  return parseConfig(text, { file: '/etc/causeway/c.yaml', env, readFile: () => 'x' }).config
}

/** The files for every trunk of a configuration. */
export function generate(
  kind: PbxKind,
  config: Config,
  change: Partial<PbxOptions> = {},
): Generated {
  return pbxConfiguration(kind, config, config.trunks, { ...OPTIONS, ...change })
}

/** The contents of the file whose name ends like that. */
export function contentsOf({ files }: Generated, name: string): string {
  const found = files.find((file) => file.name.endsWith(name))
  if (!found) throw new Error(`no ${name} among ${files.map((file) => file.name).join(', ')}`)
  return found.contents
}
