export { readiness } from './health.ts'
export * from './operations.ts'
export { buildHttp, type HttpOptions, type HttpServer, startHttp } from './server.ts'
export type { WebhookDoor } from './webhooks.ts'
