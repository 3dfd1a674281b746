import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseVerbArgs, UsageError } from '../../src/cli/verb.ts'
import { verbs } from '../../src/cli/verbs/index.ts'
import { causeway } from '../support/cli.ts'

t.test('without a verb the help goes to stderr, and the code says usage', async (t) => {
  const { code, stdout, stderr } = await causeway([])
  t.equal(code, 64)
  t.equal(stdout, '')
  t.match(stderr, /^Usage: causeway VERB/)
})

t.test('help lists every verb with a line, on stdout', async (t) => {
  for (const args of [['--help'], ['help'], ['-h']]) {
    const { code, stdout, stderr } = await causeway(args)
    t.equal(code, 0)
    t.equal(stderr, '')
    for (const name of Object.keys(verbs)) t.match(stdout, new RegExp(`^  ${name}  +\\S`, 'm'))
  }
})

/** Lines that a terminal of 80 columns breaks. */
const wide = (text: string): string[] => text.split('\n').filter((line) => line.length > 80)

t.test('the lists of verbs fit a terminal', async (t) => {
  for (const args of [[], ['calls'], ['numbers'], ['pbx']]) {
    t.same(wide((await causeway(args)).stderr), [])
  }
})

t.test('every verb has a help page to learn from', async (t) => {
  for (const [name, load] of Object.entries(verbs)) {
    const { verb } = await load()
    t.equal(verb.name, name)
    t.match(verb.usage, new RegExp(`^Usage: causeway ${name}`), name)
    t.match(verb.usage, /--json/, `${name} speaks JSON`)
    t.match(verb.usage, /Example/, `${name} has an example`)
    t.notMatch(verb.summary, /\n|\.$/, `${name} has a one-line summary`)
    t.same(wide(verb.usage), [], `${name} fits a terminal`)
    for (const args of [
      [...name.split(' '), '--help'],
      ['help', ...name.split(' ')],
    ]) {
      const { code, stdout } = await causeway(args)
      t.equal(code, 0)
      t.equal(stdout, verb.usage)
    }
  }
})

t.test('a group without its verb lists the group', async (t) => {
  const bare = await causeway(['config'])
  t.equal(bare.code, 64)
  t.match(bare.stderr, /Usage: causeway config VERB/)
  t.match(bare.stderr, /config check/)
  const help = await causeway(['config', '--help'])
  t.equal(help.code, 0)
  t.match(help.stdout, /config schema/)
})

t.test('a mistyped verb, group or option gets a suggestion', async (t) => {
  const cases: [string[], RegExp][] = [
    [['confg', 'check'], /unknown verb confg; did you mean config check\?/],
    [['config', 'chek'], /unknown verb config chek; did you mean config check\?/],
    [['config', 'check', '--jsno'], /unknown option --jsno; did you mean --json\?/],
    [['config', 'check', '--config'], /--config/],
    [['config', 'check', 'extra'], /unexpected argument: extra/],
    [['trunk', 'show'], /unknown verb trunk; did you mean trunks show\?/],
    [['calls', 'shwo'], /did you mean calls show\?\n {2}try: causeway calls --help/],
    [['calls', 'show'], /an argument is missing\n {2}usage: causeway calls show ID /],
    [['permissions', 'show', '-c', 'x'], /2 arguments are missing\n {2}usage: .* NUMBER CONSUMER/],
    [['status', '--urk', 'x'], /did you mean --url\?\n {2}usage: causeway status /],
    [['qqqqqqqq'], /unknown verb qqqqqqqq\n/],
    [['toString'], /unknown verb toString\n/],
  ]
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await causeway(args)
    t.equal(code, 64, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, message)
    t.match(stderr, /try: causeway .*--help/)
  }
})

t.test('--version is the version of the package', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  t.match(await causeway(['--version']), { code: 0, stdout: `causeway ${version}\n` })
  t.match(await causeway(['-V']), { code: 0 })
})

t.test('arguments of a verb: options, counts of words, what is left', async (t) => {
  const options = { to: { type: 'string' } } as const
  const { values, positionals } = parseVerbArgs(['a', '--to', 'x', '--json'], options, 1)
  t.match(values, { to: 'x', json: true, help: false })
  t.same(positionals, ['a'])
  t.throws(() => parseVerbArgs([], {}, 1), UsageError)
  t.throws(() => parseVerbArgs(['a', 'b', 'c'], {}, { min: 0, max: 2 }), UsageError)
  t.same(parseVerbArgs(['--', '--to'], {}, 1).positionals, ['--to'])
})

t.test('with --json a wrong command line is an error object too', async (t) => {
  for (const [args, detail] of [
    [['upp', '--json'], 'unknown verb upp; did you mean up?'],
    [['--json'], 'unknown verb --json'],
    [['calls', '--json'], 'causeway calls is a group of verbs'],
    [['calls', 'lst', '--json'], 'unknown verb calls lst; did you mean calls list?'],
    [['config', 'check', '--json', '--nope'], 'unknown option --nope'],
    [['calls', 'list', '--json', '--limit', '0'], '--limit 0: expected a number, 1 to 1000'],
    [['route', 'test', '--json'], 'which call? give --number, --trunk or --invite'],
  ] as const) {
    const { code, stdout, stderr } = await causeway(args)
    t.equal(code, 64, args.join(' '))
    t.equal(stderr, '')
    t.match(JSON.parse(stdout), { ok: false, errors: [{ code: 'APP_USAGE', detail }] })
  }
  const plain = await causeway(['up', '--', '--json'])
  t.equal(plain.stdout, '', 'what follows -- is no option')
})
