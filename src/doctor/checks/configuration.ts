import { ConfigIssue } from '../../config/index.ts'
import { readAnchor } from '../../settings/index.ts'
import { type CausewayError, isCausewayError } from '../../shared/errors/index.ts'
import { fromError, pass } from '../finding.ts'
import type { Check, Finding } from '../types.ts'

/** Warnings of the file that another check looks into, by code. */
const ELSEWHERE = new Set([
  'CONFIG_SDES_NEEDED',
  'CONFIG_WHATSAPP_DTLS',
  'CONFIG_MEDIA_ADDRESS',
  'CONFIG_WEBHOOKS_HALF',
])

/** Whether another check says it, with more than the file knows. */
function saidElsewhere(warning: CausewayError): boolean {
  if (ELSEWHERE.has(warning.code)) return true
  if (!(warning instanceof ConfigIssue) || warning.code !== 'CONFIG_FILE_MISSING') return false
  return warning.path.startsWith('sip.tls') || warning.path === 'whatsapp.ca'
}

/** The file itself, offline. */
export const configuration: Check = {
  id: 'config',
  area: 'Configuration',
  title: 'the configuration file is valid and makes sense',
  needs: [],
  async run({ config, warnings }) {
    const anchor = unusableAnchor(config.whatsapp.ca)
    const own = warnings.filter((warning) => !saidElsewhere(warning))
    if (anchor.length + own.length > 0) {
      return [
        ...anchor,
        ...own.map((warning) => fromError('warn', warning, placeOf(warning, config.file))),
      ]
    }
    const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`
    const what = `${count(config.numbers.length, 'number')}, ${count(config.trunks.length, 'trunk')}`
    return [pass(`valid: ${what}, relay ${config.media.relay}`)]
  },
}

/** The additional trust anchor, without which neither Graph nor SIP of a lab can be judged. */
function unusableAnchor(file: string | undefined): Finding[] {
  if (file === undefined) return []
  try {
    readAnchor(file)
    return []
  } catch (error) {
    if (!isCausewayError(error)) throw error
    return [fromError('fail', error, file)]
  }
}

function placeOf(warning: CausewayError, file: string): string {
  return warning instanceof ConfigIssue ? `line ${warning.line} ${warning.path}` : file
}
