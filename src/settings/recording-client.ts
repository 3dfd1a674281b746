import type { SettingsClient, SettingsReader } from './client.ts'
import type { JournalActor, JournalSink } from './journal.ts'
import type { CallingSettings, SettingsDocument } from './types.ts'

/**
 * A client that writes down what goes through it, on behalf of `who`: each read, and each write with
 * what it is about to change and how that went.
 */
export function recordingClient(
  client: SettingsClient,
  journal: JournalSink,
  who: JournalActor,
): SettingsClient {
  /** What a write changes is told by what was last read. */
  const seen = new Map<string, CallingSettings>()
  return {
    ...client,
    async read(number) {
      const note = { number: number.name, who, action: 'read' } as const
      try {
        const settings = await client.read(number)
        seen.set(number.name, settings)
        journal.record({ ...note, after: settings })
        return settings
      } catch (error) {
        journal.record({ ...note, error })
        throw error
      }
    },
    async write(number, patch) {
      const note = {
        number: number.name,
        who,
        before: partOf(seen.get(number.name), Object.keys(patch)),
        after: patch,
      }
      journal.record({ ...note, action: 'plan' })
      try {
        await client.write(number, patch)
        journal.record({ ...note, action: 'write' })
      } catch (error) {
        journal.record({ ...note, action: 'write', error })
        throw error
      }
    },
  }
}

/** {@link recordingClient} of a client that also shows what is never written. */
export function recordingReader(
  reader: SettingsReader,
  journal: JournalSink,
  who: JournalActor,
): SettingsReader {
  const documents = new WeakMap<CallingSettings, SettingsDocument>()
  const { read, ...client } = recordingClient(
    {
      ...reader,
      async read(number) {
        const document = await reader.readDocument(number)
        documents.set(document.calling, document)
        return document.calling
      },
    },
    journal,
    who,
  )
  return {
    ...client,
    read,
    async readDocument(number) {
      return documents.get(await read(number)) as SettingsDocument
    },
  }
}

function partOf(settings: CallingSettings | undefined, keys: readonly string[]): unknown {
  if (!settings) return undefined
  return Object.fromEntries(Object.entries(settings).filter(([key]) => keys.includes(key)))
}
