export { createEmbeddedRelay, type EmbeddedRelayOptions } from './relay.ts'
