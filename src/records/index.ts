/** The history of calls: kept, searched, exported, pushed. */

export { CSV_COLUMNS, csvHeader, csvLines } from './csv.ts'
export { EXPORT_PAGE, exportText } from './export.ts'
export {
  type CallFilter,
  type Cursor,
  matches,
  parseCursor,
  parseMoment,
} from './filter.ts'
export {
  CallHistory,
  type HistoryOptions,
  type HistoryPage,
  type HistoryStatus,
} from './history.ts'
export { EXPORT_FORMATS, type ExportFormat } from './messages.ts'
export { PUSH_DELAY, type PushStatus, RecordPush } from './push.ts'
export { recordJsonSchema, recordSchema } from './schema.ts'
export { APART, type CallHint, CallStore, COUNT_LIMIT } from './store.ts'
export { type CallSummary, parseRecord } from './stored.ts'
