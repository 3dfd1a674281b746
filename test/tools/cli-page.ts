/** Writes docs/reference/cli.md from the verbs' own help: `node test/tools/cli-page.ts`. */
import { writeFileSync } from 'node:fs'
import type { Verb } from '../../src/cli/verb.ts'
import { verbs } from '../../src/cli/verbs/index.ts'

/** Where the page lies, from the top of the repository. */
export const CLI_PAGE = 'docs/reference/cli.md'

/** The page, generated: a table of all verbs, then the help of each. */
export async function cliPage(): Promise<string> {
  const all = await Promise.all(Object.values(verbs).map(async (load) => (await load()).verb))
  return `# Command line

\`causeway <verb>\`; in a clone \`npm run causeway -- <verb>\`. \`causeway <verb> --help\` says what stands here. This page is
generated from the verbs in \`src/cli/verbs/\` by \`node test/tools/cli-page.ts\`.

| verb | |
|---|---|
${all.map(row).join('\n')}

**Exit codes.** 0 done, 1 failed, 2 drift or warnings, 64 the command line is wrong, 78 the configuration is wrong.

**Output.** Results go to standard output, errors and warnings to standard error. \`--json\` makes the result one JSON
object; an error is then \`{ "ok": false, "errors": [{ code, summary, detail, cause, fix, owner, retryable }] }\`, with the
codes of [Errors and warnings](errors.md). Colours appear on a terminal only, and never with \`NO_COLOR\` set.

**A running instance** is reached over its [HTTP interface](http.md): at \`http.listen\` of the configuration named by \`-c\`,
with its \`http.token\`; or at \`--url\` with the token in \`--token-file\`. Nothing there, or something else, is
[APP_UNREACHABLE](errors.md#app_unreachable).

${all.map(section).join('\n\n')}
`
}

function row({ name, summary }: Verb): string {
  return `| [\`${name}\`](#causeway-${name.replaceAll(' ', '-')}) | ${summary.replaceAll('|', '\\|')} |`
}

function section({ name, usage }: Verb): string {
  return `## causeway ${name}\n\n\`\`\`text\n${usage.trimEnd()}\n\`\`\``
}

if (import.meta.main) writeFileSync(CLI_PAGE, await cliPage())
