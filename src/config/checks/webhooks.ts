import { isLoopback } from '../addresses.ts'
import type { Path } from '../source.ts'
import type { CheckContext, Rule } from './context.ts'

/** Paths of the HTTP listener that are taken. */
const TAKEN = /^\/(api(\/.*)?|livez|readyz|healthz|metrics)?\/?$/

/** Whether a secret is neither given nor wrong. */
function lacks(context: CheckContext, path: Path, key: string, value: unknown): boolean {
  return (
    ![key, `${key}_file`].some((name) => context.isWrong([...path, name])) && value === undefined
  )
}

const endpoint: Rule = (context) => {
  const webhooks = context.draft.whatsapp?.webhooks
  const path: Path = ['whatsapp', 'webhooks']
  if (!webhooks) return
  if (lacks(context, path, 'app_secret', webhooks.app_secret)) {
    const detail = 'app_secret is missing: every webhook will be refused'
    const expected = `app_secret: \${WA_APP_SECRET}, or app_secret_file`
    context.warn('CONFIG_WEBHOOKS_HALF', { path, atKey: true, detail, expected })
  }
  if (lacks(context, path, 'verify_token', webhooks.verify_token)) {
    const detail = 'verify_token is missing: the endpoint cannot be registered at WhatsApp'
    const expected = `verify_token: \${WA_VERIFY}, or verify_token_file`
    context.warn('CONFIG_WEBHOOKS_HALF', { path, atKey: true, detail, expected })
  }
  if (webhooks.path === undefined || !TAKEN.test(webhooks.path)) return
  context.error('CONFIG_WEBHOOKS_PATH', {
    path: [...path, 'path'],
    detail: webhooks.path,
    found: webhooks.path,
    expected: 'a path of its own such as /webhooks/whatsapp',
  })
}

const targets: Rule = (context) => {
  for (const [index, target] of (context.draft.events?.webhooks ?? []).entries()) {
    const path: Path = ['events', 'webhooks', index]
    if (!target) continue
    if (lacks(context, path, 'secret', target.secret)) {
      const expected = `secret: \${CRM_SECRET}, or secret_file`
      const detail = `events.webhooks[${index}]`
      context.error('CONFIG_EVENT_SECRET', { path, detail, found: 'no secret', expected })
    }
    const url = target.url === undefined ? undefined : new URL(target.url)
    const host = url?.hostname.replace(/^\[|\]$/g, '') ?? ''
    if (url?.protocol !== 'http:' || isLoopback(host)) continue
    context.warn('CONFIG_EVENT_PLAIN', { path: [...path, 'url'], detail: url.host })
  }
}

/** Rules of `whatsapp.webhooks` and of `events:`. */
export const webhookRules: readonly Rule[] = [endpoint, targets]
