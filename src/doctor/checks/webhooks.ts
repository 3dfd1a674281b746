import { pass, problem, skip } from '../finding.ts'
import type { Check, Finding } from '../types.ts'

/** Webhooks: what verifies them, and whether WhatsApp sends any while SIP is on. */
export const webhooks: Check = {
  id: 'webhooks',
  area: 'Graph API and settings',
  title: 'webhooks can be verified and are sent',
  needs: [],
  async run({ config, graph }) {
    const { webhooks } = config.whatsapp
    if (!webhooks) return [skip('whatsapp.webhooks is not configured')]
    const missing = [
      ...(webhooks.appSecret ? [] : ['app_secret']),
      ...(webhooks.verifyToken ? [] : ['verify_token']),
    ]
    if (missing.length > 0) {
      const evidence = `whatsapp.webhooks lacks ${missing.join(' and ')}`
      return [problem('fail', 'DOCTOR_WEBHOOK_SECRET', { evidence })]
    }
    const findings: Finding[] = []
    for (const number of config.numbers) {
      const { settings } = await graph.settings(number)
      const wanted = number.calling.sip?.webhook_delivery
      // Where the configuration says it, `settings` compares it.
      if (!settings || wanted !== undefined) continue
      if (settings.actual.sip.webhook_delivery === 'ENABLED') continue
      const subject = `number ${number.name}`
      const evidence = 'sip.webhook_delivery is not ENABLED'
      findings.push(problem('warn', 'DOCTOR_WEBHOOK_DELIVERY', { subject, evidence }))
    }
    return findings.length > 0 ? findings : [pass(`signed and verified at ${webhooks.path}`)]
  },
}
