import { globSync, readFileSync } from 'node:fs'

/** A link of a page: its target as written, and the line it stands on. */
export interface Link {
  target: string
  line: number
}

/** Every page of the repository, as paths from its root. */
export function pages(): string[] {
  return globSync('**/*.md', { exclude: (path) => /(^|\/)(node_modules|\.tap|dist)$/.test(path) })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
}

/** A page's lines with fenced code blanked, so that samples are not taken for prose. */
export function proseLines(page: string): string[] {
  let fence = ''
  return readFileSync(page, 'utf8')
    .split('\n')
    .map((line) => {
      const mark = /^\s*(```+|~~~+)/.exec(line)?.[1] ?? ''
      if (fence === '') {
        fence = mark
        return mark === '' ? line : ''
      }
      if (mark.startsWith(fence)) fence = ''
      return ''
    })
}

/** Inline links and reference definitions outside of code. */
export function linksOf(page: string): Link[] {
  return proseLines(page).flatMap((text, index) => {
    const bare = text.replace(/`[^`]*`/g, '')
    const inline = [...bare.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)]
    const definitions = [...bare.matchAll(/^\s*\[[^\]]+\]:\s+<?(\S+?)>?\s*$/g)]
    return [...inline, ...definitions].map(([, target]) => ({ target: target!, line: index + 1 }))
  })
}

/** The anchors of a page's headings, as code hosts make them. */
export function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>()
  for (const line of proseLines(page)) {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1]
    if (heading === undefined) continue
    const slug = slugOf(heading)
    let anchor = slug
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`
    anchors.add(anchor)
  }
  return anchors
}

/** Lower case, links reduced to their text, punctuation dropped, spaces become hyphens. */
function slugOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
}

/** Fenced blocks of a page by language. */
export function blocksOf(page: string, language: string): string[] {
  const fenced = new RegExp(`^\`\`\`${language}\\b[^\\n]*\\n([\\s\\S]*?)^\`\`\``, 'gm')
  return [...readFileSync(page, 'utf8').matchAll(fenced)].map(([, text]) => text!)
}
