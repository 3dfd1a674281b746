/** A consumer as Graph queries and messages name them: digits, or a business-scoped user ID. */
export function graphParty(consumer: string): { id: string; scoped: boolean } {
  const digits = consumer.replace(/^\+/, '')
  return /^\d+$/.test(digits) ? { id: digits, scoped: false } : { id: consumer, scoped: true }
}

/** One key for a number and a consumer, whatever way the consumer is written. */
export function pairKey(phoneNumberId: string, consumer: string): string {
  return `${phoneNumberId} ${graphParty(consumer).id}`
}
