import { createCipheriv, createDecipheriv } from 'node:crypto'
import { z } from 'zod'
import type { Random } from '../shared/random.ts'

/** An encrypted text and what it belongs to. */
export const sealedSchema = z.object({
  /** Phone number ID. */
  number: z.string(),
  app: z.string(),
  /** Base64, 12 octets. */
  nonce: z.string(),
  /** Base64: ciphertext, then the tag of 16 octets. */
  data: z.string(),
})

export type Sealed = z.output<typeof sealedSchema>

const CIPHER = 'aes-256-gcm'
const NONCE = 12
const TAG = 16

/** Encrypts a text for a number and an app, with a nonce of its own (NIST SP 800-38D §8.2.2). */
export function seal(
  subject: Pick<Sealed, 'number' | 'app'>,
  text: string,
  key: Buffer,
  random: Random,
): Sealed {
  const nonce = random.bytes(NONCE)
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG })
  cipher.setAAD(boundTo(subject))
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return { ...subject, nonce: nonce.toString('base64'), data: data.toString('base64') }
}

/** The text; undefined when the key is another one, or anything of the record was changed. */
export function open(record: Sealed, key: Buffer): string | undefined {
  const nonce = Buffer.from(record.nonce, 'base64')
  const data = Buffer.from(record.data, 'base64')
  if (nonce.length !== NONCE || data.length < TAG) return undefined
  try {
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG })
    decipher.setAAD(boundTo(record))
    decipher.setAuthTag(data.subarray(-TAG))
    return Buffer.concat([decipher.update(data.subarray(0, -TAG)), decipher.final()]).toString()
  } catch {
    return undefined
  }
}

/** A record moved to another number or app does not open. */
function boundTo({ number, app }: Pick<Sealed, 'number' | 'app'>): Buffer {
  return Buffer.from(JSON.stringify(['causeway credentials 1', number, app]))
}
