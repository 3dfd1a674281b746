import { DEMO } from './configuration.ts'
import type { World } from './world.ts'

/** Where everything is while the demo keeps running. */
export interface DemoPlace {
  api: string
  whatsapp: string
  pbx: string
  graph: string
  control: string
  ca: string
  configuration: string
  log: string
}

/** The addresses and files of a running demo. */
export function placesOf({ simulator, instance, api, file, log }: World): DemoPlace {
  const { sip } = instance.addresses
  const [pbx] = sip.pbx
  return {
    api: api.url,
    whatsapp: `tls://${sip.whatsapp.host}:${sip.whatsapp.port}`,
    pbx: `${pbx!.transport}://${pbx!.host}:${pbx!.port}`,
    graph: simulator.graphUrl,
    control: simulator.controlUrl,
    ca: simulator.caFile,
    configuration: file,
    log,
  }
}

/** What to try while the demo keeps running. */
export function formatStay(place: DemoPlace): string {
  const json = `-H 'content-type: application/json'`
  return `Running until Ctrl-C

  Causeway       HTTP ${place.api}, WhatsApp ${place.whatsapp}, PBX ${place.pbx}
  Simulator      control ${place.control}, Graph API ${place.graph}
  Lab CA         ${place.ca}
  Configuration  ${place.configuration}
  Log            ${place.log}

Try
  # health, calls, metrics
  curl -s ${place.api}/healthz
  curl -s ${place.api}/api/v1/calls
  npm run causeway -- status --url ${place.api}
  npm run causeway -- calls list --url ${place.api}
  npm run causeway -- doctor -c ${place.configuration} --url ${place.api}

  # a WhatsApp user calls and hangs up after 5 s
  curl -s -X POST ${place.control}/calls ${json} \\
    -d '{"from":"${DEMO.consumer}","to":"${DEMO.numbers.support.phoneNumber}","hangupAfter":5000}'

  # the next call to this user is declined
  curl -s -X PUT ${place.control}/consumers/${DEMO.consumer} ${json} \\
    -d '{"script":{"action":"decline"}}'

  # no new calls, and calls again
  curl -s -X POST ${place.api}/api/v1/drain
  curl -s -X POST ${place.api}/api/v1/undrain
`
}
