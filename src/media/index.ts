export { createNoneRelay } from './none.ts'
export type { MediaRelay, MediaSession, MediaSummary, Side } from './session.ts'
