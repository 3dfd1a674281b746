/** An element of an XML document. */
export interface Element {
  name: string
  attributes: Record<string, string>
  children: Element[]
}

const NAME = '[A-Za-z_][\\w.-]*'
const ATTRIBUTE = new RegExp(`\\s+(${NAME})="([^"<]*)"`, 'y')
const OPEN = new RegExp(`<(${NAME})`, 'y')
const CLOSE = new RegExp(`</(${NAME})\\s*>`, 'y')
const COMMENT = /<!--((?:(?!--)[\s\S])*)-->/y

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/**
 * Reads the XML that configuration files are made of: elements, attributes in double quotes, comments.
 * @throws Error when it is not well-formed
 */
export function parseXml(text: string): Element {
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found) at = pattern.lastIndex
    return found
  }
  const fail = (what: string): never => {
    throw new Error(`${what} at line ${text.slice(0, at).split('\n').length}`)
  }
  const element = (): Element => {
    const name = take(OPEN)?.[1] ?? fail('no element')
    const attributes: Record<string, string> = {}
    for (let found = take(ATTRIBUTE); found; found = take(ATTRIBUTE)) {
      if (found[1]! in attributes) fail(`attribute ${found[1]} twice`)
      attributes[found[1]!] = decode(found[2]!, fail)
    }
    const children: Element[] = []
    if (take(/\s*\/>/y)) return { name, attributes, children }
    if (!take(/\s*>/y)) fail(`<${name} does not end`)
    for (;;) {
      take(/\s+/y)
      if (take(COMMENT)) continue
      const closed = take(CLOSE)
      if (closed && closed[1] !== name) fail(`</${closed[1]}> for <${name}>`)
      if (closed) return { name, attributes, children }
      children.push(element())
    }
  }
  const root = element()
  if (text.slice(at).trim() !== '') fail('more than one element')
  return root
}

function decode(value: string, fail: (what: string) => never): string {
  return value.replace(/&([^;\s]*);?/g, (reference, name: string) => {
    if (!reference.endsWith(';')) return fail(`a bare & in ${value}`)
    const code = /^#(\d+)$/.exec(name)?.[1]
    return code ? String.fromCodePoint(Number(code)) : (ENTITIES[name] ?? fail(`&${name};`))
  })
}

/** Every element of that name, in the order of the document. */
export function all(root: Element, name: string): Element[] {
  const own = root.name === name ? [root] : []
  return [...own, ...root.children.flatMap((child) => all(child, name))]
}
