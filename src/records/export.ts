import { csvLines } from './csv.ts'
import type { ExportAsk, ExportedPage } from './messages.ts'
import type { CallStore } from './store.ts'
import { parseRecord } from './stored.ts'

/** Calls in one part of an export: some hundred KiB. */
export const EXPORT_PAGE = 200

/** A part of an export, newest calls first, as lines of its format; the header of a CSV is not among them. */
export async function exportText(
  store: Pick<CallStore, 'page'>,
  { filter, format, before, limit }: ExportAsk,
): Promise<ExportedPage> {
  const { texts, next } = await store.page(filter, { before, limit, detail: true })
  const text =
    format === 'csv' ? csvLines(texts.map(parseRecord)) : texts.map((one) => `${one}\n`).join('')
  return { text, calls: texts.length, next }
}
