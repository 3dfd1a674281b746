/** A Replaces header (RFC 3891 §6.1), as the side that receives it reads it. */
export interface Replaces {
  callId: string
  /** Our tag in the dialog to be replaced. */
  toTag: string
  /** The peer's. */
  fromTag: string
  earlyOnly: boolean
}

/** Reads a Replaces header; undefined when it is none, or more than one. */
export function parseReplaces(value: string): Replaces | undefined {
  const [callId, ...params] = value.split(';').map((part) => part.trim())
  if (!callId || value.includes(',')) return undefined
  const named = new Map(
    params.map((param) => {
      const [name = '', tag = ''] = param.split('=', 2)
      return [name.trim().toLowerCase(), tag.trim()]
    }),
  )
  const toTag = named.get('to-tag')
  const fromTag = named.get('from-tag')
  if (!toTag || !fromTag) return undefined
  return { callId, toTag, fromTag, earlyOnly: named.has('early-only') }
}
