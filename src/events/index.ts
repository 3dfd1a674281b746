/** Events for other systems, as signed HTTP POSTs. */

export { pauseAfter } from './backoff.ts'
export { present } from './call-data.ts'
export { CallEvents } from './call-events.ts'
export { createPost, type Post, type PostOutcome } from './post.ts'
export {
  DEAD_LETTERS,
  type EventDraft,
  type EventNumber,
  EventPublisher,
  type PublisherOptions,
} from './publisher.ts'
export { type EventData, eventJsonSchema, eventSchema } from './schema.ts'
export { signEvent } from './signature.ts'
export type { Persistence, TargetStatus } from './target.ts'
