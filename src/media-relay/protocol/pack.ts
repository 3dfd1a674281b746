import {
  CausewayError,
  catalogue,
  type ErrorCode,
  isCausewayError,
} from '../../shared/errors/index.ts'
import { Secret } from '../../shared/secret.ts'

/** An error of the catalogue as it crosses threads. */
export interface PackedError {
  code: ErrorCode | undefined
  detail: string | undefined
  place: string | undefined
  message: string
}

interface PackedSecret {
  $secret: string
}

interface PackedFailure {
  $error: PackedError
}

/** `T` with secrets in the clear and errors as data, so that structured cloning keeps them. */
export type Packed<T> = T extends Secret
  ? PackedSecret
  : T extends CausewayError
    ? PackedFailure
    : T extends readonly (infer Item)[]
      ? Packed<Item>[]
      : T extends object
        ? { [Key in keyof T]: Packed<T[Key]> }
        : T

/** Makes plain data of what may hold secrets and errors. It stays within the process. */
export function pack<T>(value: T): Packed<T> {
  return packed(value) as Packed<T>
}

/** The reverse of {@link pack}. */
export function unpack<T>(value: Packed<T>): T {
  return unpacked(value) as T
}

/** An error as data; one that is not of the catalogue keeps its message alone. */
export function packError(error: unknown): PackedError {
  const known = isCausewayError(error) ? error : undefined
  return {
    code: known?.code,
    detail: known?.detail,
    place: known?.place,
    message: error instanceof Error ? error.message : String(error),
  }
}

/** The error again, or a plain one when its code is unknown. */
export function unpackError(error: PackedError): Error {
  const { code, detail, place, message } = error
  if (code === undefined || !(code in catalogue)) return new Error(message)
  return new CausewayError(code, {
    ...(detail === undefined ? {} : { detail }),
    ...(place === undefined ? {} : { place }),
  })
}

function packed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Secret) return { $secret: value.reveal() }
  if (isCausewayError(value)) return { $error: packError(value) }
  if (Array.isArray(value)) return value.map(packed)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, packed(item)]))
}

function unpacked(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('$secret' in value) return new Secret(String(value.$secret))
  if ('$error' in value) return unpackError(value.$error as PackedError)
  if (Array.isArray(value)) return value.map(unpacked)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpacked(item)]))
}
