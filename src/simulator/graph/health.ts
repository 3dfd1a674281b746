import type { SimulatedApp, SimulatedNumber } from '../store.ts'

/** The answer to `GET /{phone-number-id}?fields=health_status`. */
export function healthStatus(number: SimulatedNumber, app: SimulatedApp): Record<string, unknown> {
  const { calling } = number
  const on = calling.status === 'ENABLED' && calling.sipStatus === 'ENABLED'
  const ours = calling.servers.has(app.appId)
  return {
    health_status: {
      can_send_message: 'AVAILABLE',
      entities: [
        {
          entity_type: 'PHONE_NUMBER',
          id: number.phoneNumberId,
          can_send_message: 'AVAILABLE',
          can_receive_call_sip: on ? 'AVAILABLE' : 'BLOCKED',
          ...(on
            ? {}
            : errors(138024, 'SIP is not enabled on the phone number', 'Enable SIP in settings')),
        },
        { entity_type: 'WABA', id: number.wabaId, can_send_message: 'AVAILABLE' },
        {
          entity_type: 'APP',
          id: app.appId,
          can_send_message: app.messaging ? 'AVAILABLE' : 'BLOCKED',
          can_receive_call_sip: ours ? 'AVAILABLE' : 'BLOCKED',
          ...(ours
            ? {}
            : errors(138025, 'The app has no SIP server configured', 'Configure a SIP server')),
        },
      ],
    },
    id: number.phoneNumberId,
  }
}

function errors(code: number, description: string, solution: string) {
  const error = { error_code: code, error_description: description, possible_solution: solution }
  return { errors: [error] }
}
