/** Writes docs/reference/errors.md from the error catalogue: `node test/tools/errors-page.ts`. */
import { writeFileSync } from 'node:fs'
import { catalogue, type ErrorDefinition } from '../../src/shared/errors/index.ts'

/** Where the page lies, from the top of the repository. */
export const ERRORS_PAGE = 'docs/reference/errors.md'

const OWNERS = {
  causeway: 'Causeway',
  pbx: 'the PBX',
  whatsapp: 'WhatsApp',
  user: 'you',
}

/** The page, generated: a section for each area, an entry with an anchor for each code. */
export function errorsPage(): string {
  const rows = Object.entries<ErrorDefinition>(catalogue).sort(([a], [b]) => (a < b ? -1 : 1))
  const areas = new Map<string, string[]>()
  for (const [code, row] of rows) {
    const area = code.slice(0, code.indexOf('_'))
    areas.set(area, [...(areas.get(area) ?? []), entry(code, row)])
  }
  const sections = [...areas].map(([area, entries]) => `## ${area}\n\n${entries.join('\n\n')}`)
  return `# Errors and warnings

Every error and warning of Causeway has a stable code. Logs, the command line, the API and, on a call
that failed, the \`Warning\` header towards the PBX carry it. This page is generated from the catalogue in
\`src/shared/errors/\` by \`node test/tools/errors-page.ts\`.

${sections.join('\n\n')}
`
}

function entry(code: string, row: ErrorDefinition): string {
  const ends = [
    row.sip === undefined ? '' : `SIP ${row.sip}`,
    row.q850 === undefined ? '' : `Q.850 cause ${row.q850}`,
  ].filter(Boolean)
  const lines = [
    `### ${code}`,
    '',
    `${capital(row.summary)}.`,
    '',
    `- **Cause:** ${row.cause}`,
    `- **Fix:** ${row.fix}`,
    `- **Who acts:** ${OWNERS[row.owner]}; ${row.retryable ? 'the same attempt may succeed later' : 'the same attempt fails again until something changes'}`,
  ]
  if (ends.length > 0) lines.push(`- **A call ends with:** ${ends.join(', ')}`)
  return lines.join('\n')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, '')
}

if (import.meta.main) writeFileSync(ERRORS_PAGE, errorsPage())
