/** Writes the two tables of docs/guides/doctor.md: `node test/tools/doctor-page.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { checks, pitfalls } from '../../src/doctor/index.ts'

/** Where the page lies, from the top of the repository. */
export const DOCTOR_PAGE = 'docs/guides/doctor.md'

/** A table with an entry for each check. */
export function checksTable(): string {
  const rows = checks.map(({ id, area, title }) => `| \`${id}\` | ${area} | ${title} |`)
  return ['| check | area | passes when |', '|---|---|---|', ...rows].join('\n')
}

/** A table with an entry for each pitfall. */
export function pitfallsTable(): string {
  const rows = pitfalls.map(({ symptom, cause, checks, answer }, index) => {
    const named = checks.map((id) => `\`${id}\``).join(', ') || 'ruled out'
    return `| ${index + 1} | ${symptom} | ${cause} | ${named} | ${answer} |`
  })
  return ['| | symptom | cause | check | |', '|---|---|---|---|---|', ...rows].join('\n')
}

/** The page with both tables as the code has them. */
export function doctorPage(page: string): string {
  return between(between(page, 'checks', checksTable()), 'pitfalls', pitfallsTable())
}

function between(page: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`]
  const [from, to] = [page.indexOf(start) + start.length, page.indexOf(end)]
  return page.slice(0, from) + text + page.slice(to)
}

if (import.meta.main) writeFileSync(DOCTOR_PAGE, doctorPage(readFileSync(DOCTOR_PAGE, 'utf8')))
