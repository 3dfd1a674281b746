/** Events for other systems, as signed HTTP POSTs. */

export { pauseAfter } from './backoff.ts'
export { callData, present, reportData } from './call-data.ts'
export { CallEvents } from './call-events.ts'
export { createPost, type Post, type PostOutcome } from './post.ts'
export {
  DEAD_LETTERS,
  type EventDraft,
  type EventNumber,
  EventPublisher,
  type PublisherOptions,
} from './publisher.ts'
export { EVENT_VERSION, type EventData, eventJsonSchema, eventSchema } from './schema.ts'
export { signEvent } from './signature.ts'
export { PERSISTENCE, type Persistence, type TargetStatus } from './target.ts'
