export { ConfigErrors, ConfigIssue, type Excerpt } from './issue.ts'
export { formatJsonSchema, jsonSchema } from './json-schema.ts'
export {
  type LoadOptions,
  type LoadResult,
  loadConfig,
  type ParseOptions,
  parseConfig,
} from './load.ts'
export { META_PREFIXES } from './meta-prefixes.ts'
export { recordsKey } from './records-secret.ts'
export { formatConfig, redactedConfig } from './redacted.ts'
export type * from './types.ts'
export { tryDuration as parseDuration } from './units.ts'
