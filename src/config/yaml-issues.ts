import { ConfigIssue } from './issue.ts'
import type { YamlFault, YamlSource } from './source.ts'

/** What the parser's codes mean to somebody who edits a file. Its own messages may quote the file. */
const MEANINGS: Record<string, string> = {
  BAD_ALIAS: 'an alias (*name) stands for nothing; quote the value if it starts with *',
  BAD_DQ_ESCAPE: 'a backslash in double quotes starts an unknown escape; use single quotes',
  BAD_INDENT: 'the indentation does not fit the lines around it',
  BAD_SCALAR_START: 'a value may not start with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " stands on the line; put the value in quotes',
  BLOCK_IN_FLOW: 'an indented block stands inside brackets; use commas, or quote the value',
  MISSING_CHAR: 'a closing bracket, quote, comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a line without a colon follows; is its ": " or a quote missing?',
  MULTIPLE_DOCS: 'a second document starts (---); a configuration is one',
  RESOURCE_EXHAUSTION: 'aliases (*name) of aliases multiply the file beyond reason',
  TAB_AS_INDENT: 'a tab is used to indent; YAML wants spaces',
  TAG_RESOLVE_FAILED: 'a tag (!name) is not known; quote the value if it starts with !',
  UNEXPECTED_TOKEN: 'this does not belong here; is a quote or bracket missing?',
}

/** A syntax error or duplicate key of the YAML parser as a coded error. */
export function yamlIssue({ code, start, end }: YamlFault, source: YamlSource): ConfigIssue {
  const position = source.at(start, end)
  if (code === 'DUPLICATE_KEY') {
    const { line, column } = position
    const [name] = /^[\w"'-]+/.exec(source.line(line).slice(column - 1)) ?? ['a key']
    return new ConfigIssue('CONFIG_DUPLICATE_KEY', source, {
      path: source.pathOfKey(start),
      position: { line, column, length: name.length },
      detail: name.replace(/["']/g, ''),
      found: 'the key a second time',
      expected: 'each key once',
    })
  }
  return new ConfigIssue('CONFIG_YAML_SYNTAX', source, {
    path: [],
    position,
    detail: tabbed(source.line(position.line), position.column)
      ? MEANINGS['TAB_AS_INDENT']!
      : (MEANINGS[code] ?? 'the parser does not understand this'),
  })
}

function tabbed(line: string, column: number): boolean {
  return /^\s*\t/.test(line) && line.slice(0, column - 1).trim() === ''
}
