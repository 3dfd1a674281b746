import type { Suite } from '../../media/anchor/types.ts'
import type { Secret } from '../../shared/secret.ts'
import { CounterMode } from './counter-mode.ts'
import { Gcm } from './gcm.ts'
import { KeyDerivation } from './key-derivation.ts'
import { masterKey, suiteParameters } from './suites.ts'
import type { Transform } from './transform.ts'

/**
 * The cryptography of a suite under a master key (base64 of key and salt).
 * @throws CausewayError `MEDIA_SRTP_KEY`
 */
export function createTransform(suite: Suite, key: Secret): Transform {
  const parameters = suiteParameters(suite)
  const derivation = new KeyDerivation(masterKey(suite, key))
  const srtp = derivation.sessionKeys('srtp', parameters)
  const srtcp = derivation.sessionKeys('srtcp', parameters)
  return parameters.mode === 'cm' ? new CounterMode(parameters, srtp, srtcp) : new Gcm(srtp, srtcp)
}
