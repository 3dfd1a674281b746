/**
 * A copy of a string that shares no memory with the text it was cut from. V8 keeps the whole of a
 * message alive for as long as any substring of it is held; what a call keeps is copied.
 */
export function detach(text: string): string {
  // Shorter strings are never slices.
  return text.length < 13 ? text : Buffer.from(text).toString()
}
