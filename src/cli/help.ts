import { verbs } from './verbs/index.ts'

/** The list of verbs, or of those of a group (`config`), with a line each. */
export async function formatHelp(group?: string): Promise<string> {
  const names = Object.keys(verbs)
  const shown = group ? names.filter((name) => name.startsWith(`${group} `)) : names
  const loaded = await Promise.all(shown.map((name) => verbs[name]!()))
  const width = Math.max(...shown.map((name) => name.length)) + 2
  const list = loaded.map(({ verb }) => `  ${verb.name.padEnd(width)}${verb.summary}`)
  return `Usage: causeway ${group ?? 'VERB'} ${group ? 'VERB ' : ''}[options]

The trunk between WhatsApp Business Calling and the PBX you already run.

${list.join('\n')}

Options of every verb:
  -h, --help    what the verb does, its options and examples
      --json    machine-readable output, on every verb that prints

causeway --version prints the version.

Exit codes: 0 done, 1 failed, 2 drift or warnings, 64 usage, 78 configuration.
`
}
