import type { NumberConfig } from '../config/types.ts'
import { CausewayError } from '../shared/errors/index.ts'
import { place, settingsUrl } from './dialect.ts'
import { createGraph, type Fetch, type GraphOptions } from './graph.ts'
import { parseDocument } from './parse.ts'
import type { CallingPatch, CallingSettings, SettingsDocument } from './types.ts'
import { isObject } from './wire.ts'

export type { Fetch }

export type SettingsClientOptions = GraphOptions

/** The settings endpoint of the Graph API, for every number of one configuration. */
export interface SettingsClient {
  /** Reads the settings with the SIP credentials. Rejects with {@link CausewayError}. */
  read(number: NumberConfig): Promise<CallingSettings>
  /** Writes one `calling` object and nothing beside it. Rejects with {@link CausewayError}. */
  write(number: NumberConfig, patch: CallingPatch): Promise<void>
  /** Aborts what is under way and closes the connections. */
  close(): Promise<void>
}

/** A client that also shows what is never written. */
export interface SettingsReader extends SettingsClient {
  /** Like `read`, with the other feature groups of the endpoint. */
  readDocument(number: NumberConfig): Promise<SettingsDocument>
}

/**
 * A client with the habits of {@link createGraph}. Both requests may safely be repeated: a write sets
 * values.
 *
 * @throws SETTINGS_CA_UNREADABLE when `whatsapp.ca` cannot be used
 */
export function createSettingsClient(options: SettingsClientOptions): SettingsReader {
  const { whatsapp } = options
  const graph = createGraph(options)

  async function readDocument(number: NumberConfig): Promise<SettingsDocument> {
    const url = settingsUrl(whatsapp, number)
    url.searchParams.set('include_sip_credentials', 'true')
    const settings = parseDocument(await graph.request(url, number))
    if (settings) return settings
    const detail = 'the settings are no object'
    throw new CausewayError('SETTINGS_MALFORMED_RESPONSE', { detail, place: place(number) })
  }

  return {
    readDocument,
    read: async (number) => (await readDocument(number)).calling,
    async write(number, calling) {
      const url = settingsUrl(whatsapp, number)
      const answer = await graph.request(url, number, JSON.stringify({ calling }))
      if (isObject(answer) && answer['success'] === true) return
      throw new CausewayError('SETTINGS_WRITE_REFUSED', { place: place(number) })
    },
    close: () => graph.close(),
  }
}
