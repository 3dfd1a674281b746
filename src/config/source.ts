import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
  type YAMLError,
} from 'yaml'
import { shield, unshield } from './variables.ts'

/** Keys and list positions from the top of the file: `['trunks', 0, 'targets']`. */
export type Path = readonly (string | number)[]

/** A place in the file; line and column count from 1. */
export interface Position {
  line: number
  column: number
  /** Characters the value or key takes on its line, for underlining. */
  length: number
}

/** What a scalar looked like in the file. */
export interface Written {
  node: Scalar
  /** Source text, variables unexpanded. */
  text: string
  /** Whether the text stood without quotes. */
  plain: boolean
}

/** What is wrong with the YAML itself. */
export interface YamlFault {
  code: YAMLError['code']
  start: number
  end: number
}

/** Where a string value stands, for {@link YamlSource.mapStrings}. */
export interface StringPlace {
  path: Path
  /** The position of a part of the value as written; of the whole value when it is not found. */
  find(part: string): Position
}

/** A YAML file that still knows where everything stood. */
export class YamlSource {
  readonly file: string
  readonly #document: Document.Parsed
  readonly #counter = new LineCounter()
  readonly #lines: string[]

  constructor(text: string, file: string) {
    this.file = file
    this.#lines = text.split(/\r?\n/)
    this.#document = parseDocument(shield(text), {
      lineCounter: this.#counter,
      merge: true,
      prettyErrors: false,
    })
  }

  /** Syntax errors, aliases of nothing and duplicate keys, by code and range of characters. */
  errors(): YamlFault[] {
    const faults = this.#document.errors.map(({ code, pos: [start, end] }) => ({
      code,
      start,
      end,
    }))
    visit(this.#document, {
      Alias: (_, node) => {
        const [start, end] = node.range ?? [0, 0]
        if (!node.resolve(this.#document)) faults.push({ code: 'BAD_ALIAS', start, end })
      },
    })
    return faults
  }

  /** The text of a line, without its variables expanded. */
  line(number: number): string {
    return this.#lines[number - 1] ?? ''
  }

  /** Replaces every string value by what `change` makes of it; keys stay as they are. */
  mapStrings(change: (text: string, place: StringPlace) => string): void {
    visit(this.#document, {
      Scalar: (key, node, ancestors) => {
        if (typeof node.value !== 'string') return
        const text = unshield(node.value)
        if (key === 'key') node.value = text
        else {
          const path = pathOf([...ancestors, node])
          const find = (part: string): Position => this.#within(node, part)
          node.value = change(text, { path, find })
        }
      },
    })
  }

  /** The file's content as plain values; undefined for an empty file. */
  value(): unknown {
    return this.#document.contents === null ? undefined : this.#document.toJS()
  }

  /** Whether the file has the section a path lies in. */
  hasSection(path: Path): boolean {
    return path.length === 0 || this.#find(path.slice(0, 1)).value !== undefined
  }

  /** The path of the key that starts at a character of the file; empty when none does. */
  pathOfKey(offset: number): Path {
    let path: Path = []
    visit(this.#document, {
      Pair: (_, pair, ancestors) => {
        if (!isScalar(pair.key) || pair.key.range?.[0] !== offset) return undefined
        path = pathOf([...ancestors, pair])
        return visit.BREAK
      },
    })
    return path
  }

  /** The scalar at a path as it was written, or undefined. */
  written(path: Path): Written | undefined {
    const node = this.#find(path).value
    if (!isScalar(node)) return undefined
    const [start, end] = node.range ?? [0, 0]
    const plain = node.type === 'PLAIN'
    return { node, plain, text: this.#slice(start, end) }
  }

  /** Where a character of the file is. */
  at(offset: number, end = offset + 1): Position {
    const { line, col } = this.#counter.linePos(offset)
    const room = this.line(line).length - col + 1
    const length = Math.max(1, Math.min(end - offset, room))
    return { line: Math.max(1, line), column: Math.max(1, col), length }
  }

  /** Where the value at a path is; the nearest thing around it when the path does not exist. */
  valueAt(path: Path): Position {
    const { key, value } = this.#find(path)
    return this.#position(isEmpty(value) ? key : value) ?? this.#position(key) ?? this.at(0)
  }

  /** Where the key that ends a path is; the nearest thing around it when the path does not exist. */
  keyAt(path: Path): Position {
    const { key, value } = this.#find(path)
    return this.#position(key ?? value) ?? this.at(0)
  }

  #within(node: Scalar, part: string): Position {
    const [start, end] = node.range ?? [0, 0]
    const whole = this.at(start, end)
    const index = this.line(whole.line).indexOf(part, whole.column - 1)
    return index < 0 ? whole : { line: whole.line, column: index + 1, length: part.length }
  }

  #slice(start: number, end: number): string {
    const from = this.#counter.linePos(start)
    const to = this.#counter.linePos(end)
    if (from.line === to.line) return this.line(from.line).slice(from.col - 1, to.col - 1)
    return `${this.line(from.line).slice(from.col - 1)} …`
  }

  #position(node: unknown): Position | undefined {
    const range = (node as Node | undefined)?.range
    return range ? this.at(range[0], range[1]) : undefined
  }

  /** The deepest key and value on the way to a path; `value` is undefined when the path ends early. */
  #find(path: Path): { key: unknown; value: unknown } {
    let key: unknown
    let value: unknown = this.#document.contents
    for (const step of path) {
      if (isAlias(value)) value = value.resolve(this.#document)
      if (isSeq(value) && typeof step === 'number') {
        const item = value.items[step]
        if (item === undefined) return { key: key ?? value, value: undefined }
        key = item
        value = item
        continue
      }
      const pair = isMap(value) ? this.#pair(value.items, step) : undefined
      if (!pair) return { key: key ?? firstKey(value), value: undefined }
      key = pair.key
      value = pair.value
    }
    return { key, value: isAlias(value) ? value.resolve(this.#document) : value }
  }

  #pair(items: Pair[], step: string | number): Pair | undefined {
    // Of duplicate keys the last one has won.
    const named = items.findLast(
      (pair) => isScalar(pair.key) && String(pair.key.value) === `${step}`,
    )
    if (named) return named
    for (const { key, value } of items) {
      if (!isScalar(key) || key.value !== '<<') continue
      const merged = isAlias(value) ? value.resolve(this.#document) : value
      for (const source of isSeq(merged) ? merged.items : [merged]) {
        const map = isAlias(source) ? source.resolve(this.#document) : source
        const found = isMap(map) ? this.#pair(map.items, step) : undefined
        if (found) return found
      }
    }
    return undefined
  }
}

/** The path that leads through nested nodes. */
function pathOf(nodes: readonly unknown[]): Path {
  const path: (string | number)[] = []
  for (const [index, node] of nodes.entries()) {
    if (isPair(node) && isScalar(node.key)) path.push(String(node.key.value))
    if (isSeq(node)) path.push(node.items.indexOf(nodes[index + 1]))
  }
  return path
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (isScalar(value) && value.value === null)
}

function firstKey(node: unknown): unknown {
  return isMap(node) ? node.items[0]?.key : undefined
}

/** `trunks[0].targets`. */
export function formatPath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}
