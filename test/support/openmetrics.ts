/** A sample as it was written. */
export interface ParsedSample {
  /** With its suffix. */
  name: string
  labels: Record<string, string>
  value: number
}

/** A family with its samples. */
export interface ParsedFamily {
  /** Without suffix. */
  name: string
  type: string
  help: string
  samples: ParsedSample[]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const NUMBER = /^(?:NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/
/** What the names of the samples of a type end in. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  gauge: [''],
  counter: ['_total', '_created'],
  histogram: ['_bucket', '_sum', '_count', '_created'],
}

/**
 * Parses OpenMetrics text (version 1.0) as strictly as its grammar is meant; knows the types that are
 * used here. Throws with the line on the first fault: an unknown or repeated family, families that mix, a
 * series that comes twice, a name or label or number that is none, a histogram that does not add up.
 */
export function parseOpenMetrics(text: string): ParsedFamily[] {
  if (!text.endsWith('# EOF\n')) throw new Error('does not end with # EOF')
  const lines = text.slice(0, -'# EOF\n'.length).split('\n')
  if (lines.pop() !== '') throw new Error('the last sample has no line end')
  const families = new Map<string, ParsedFamily>()
  const series = new Set<string>()
  let family: ParsedFamily | undefined
  for (const line of lines) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`)
    }
    if (line.startsWith('#')) {
      const [, kind, name, rest] =
        /^# (HELP|TYPE|UNIT) (\S+) (.*)$/.exec(line) ?? fail('no comment')
      if (!NAME.test(name!)) fail('no name')
      if (family?.name !== name) {
        if (families.has(name!)) fail('a family comes twice')
        family = { name: name!, type: 'unknown', help: '', samples: [] }
        families.set(name!, family)
      }
      if (family!.samples.length > 0) fail('metadata behind samples')
      if (kind === 'HELP') family!.help = plain(rest!, fail)
      else if (kind === 'TYPE') family!.type = rest! in SUFFIXES ? rest! : fail('unknown type')
    } else {
      const sample = parseSample(line, fail)
      const owner = family ?? fail('a sample before its family')
      const suffix = sample.name.slice(owner.name.length)
      const known = SUFFIXES[owner.type]?.includes(suffix)
      if (!sample.name.startsWith(owner.name) || !known) fail(`not of ${owner.name}`)
      if (owner.type !== 'gauge' && suffix !== '_sum' && !(sample.value >= 0)) fail('below zero')
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`
      if (series.has(key)) fail('a series comes twice')
      series.add(key)
      owner.samples.push(sample)
    }
  }
  for (const each of families.values()) if (each.type === 'histogram') checkHistogram(each)
  return [...families.values()]
}

function parseSample(line: string, fail: (why: string) => never): ParsedSample {
  const [, name, inner, value] = /^([^{ ]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? fail('no sample')
  if (!NAME.test(name!)) fail('no name')
  if (!NUMBER.test(value!)) fail('no number')
  const labels: Record<string, string> = {}
  let rest = inner ?? ''
  if (inner === '') fail('empty labels')
  while (rest !== '') {
    const found = /^([^=,]+)="((?:[^"\\]|\\.)*)"(,(?=.)|$)/.exec(rest) ?? fail('no labels')
    const [whole, key, text] = found
    if (!LABEL.test(key!)) fail('no label')
    if (key! in labels) fail('a label comes twice')
    labels[key!] = plain(text!, fail)
    rest = rest.slice(whole.length)
  }
  return { name: name!, labels, value: Number(value!.replace('Inf', 'Infinity')) }
}

function plain(text: string, fail: (why: string) => never): string {
  return text.replace(/\\(.)/g, (_whole, of: string) =>
    of === 'n' ? '\n' : of === '\\' || of === '"' ? of : fail('unknown escape'),
  )
}

/** Buckets rise to `+Inf`, which is the count; each set of labels has a sum. */
function checkHistogram({ name, samples }: ParsedFamily): void {
  const sets = new Map<string, { buckets: [number, number][]; sum?: number; count?: number }>()
  for (const sample of samples) {
    const { le, ...labels } = sample.labels
    const key = JSON.stringify(Object.entries(labels).sort())
    const set = sets.get(key) ?? { buckets: [] }
    sets.set(key, set)
    if (sample.name.endsWith('_bucket')) {
      if (le === undefined) throw new Error(`${name}: a bucket without le`)
      set.buckets.push([Number(le.replace('Inf', 'Infinity')), sample.value])
    } else if (sample.name.endsWith('_sum')) set.sum = sample.value
    else set.count = sample.value
  }
  for (const [labels, { buckets, sum, count }] of sets) {
    const place = `${name} ${labels}`
    if (sum === undefined || count === undefined) throw new Error(`${place}: no sum or count`)
    const rises = buckets.every(
      ([bound, value], index) =>
        index === 0 || (bound > buckets[index - 1]![0] && value >= buckets[index - 1]![1]),
    )
    if (!rises) throw new Error(`${place}: buckets do not rise`)
    const last = buckets.at(-1)
    if (last?.[0] !== Number.POSITIVE_INFINITY || last[1] !== count) {
      throw new Error(`${place}: +Inf is not the count`)
    }
  }
}
