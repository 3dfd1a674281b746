import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromium } from 'playwright-core'
import { install } from './install.ts'

/** What a browser's statistics say of its one call. */
export interface BrowserFigures {
  ice: string
  dtls: string | undefined
  codec: string | undefined
  sent: number
  received: number
  lost: number
  /** Sound that was heard, as `totalAudioEnergy` of the WebRTC statistics; 0 for silence. */
  energy: number
}

/** A headless Chromium whose microphone beeps; it speaks WebRTC for a PBX. */
export interface Browser {
  /** A new call: the browser's offer, with all its candidates. */
  offer(): Promise<string>
  /** Takes the answer to it. */
  complete(answer: string): Promise<void>
  /** A new call: the browser's answer to an offer. */
  answer(offer: string): Promise<string>
  figures(): Promise<BrowserFigures>
  close(): Promise<void>
}

const FLAGS = [
  '--no-sandbox', // root has no other way
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream', // a beep every second for a microphone
  '--use-fake-ui-for-media-stream', // nobody is asked
  '--autoplay-policy=no-user-gesture-required',
  '--allow-loopback-in-peer-connection', // 127.0.0.1 as an ICE candidate
  '--disable-features=WebRtcHideLocalIpsWithMdns', // addresses, not .local names
]

/** What runs in the page. */
const SCRIPT = `
  let connection
  async function open() {
    connection?.close()
    connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' })
    connection.ontrack = ({ track }) => { remote.srcObject = new MediaStream([track]) }
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
    for (const track of stream.getTracks()) connection.addTrack(track, stream)
  }
  async function described(description) {
    await connection.setLocalDescription(description)
    if (connection.iceGatheringState !== 'complete') {
      await new Promise((resolve) => {
        connection.onicegatheringstatechange = () =>
          connection.iceGatheringState === 'complete' && resolve()
      })
    }
    return connection.localDescription.sdp
  }
  async function offer() {
    await open()
    return described(await connection.createOffer())
  }
  async function complete(sdp) {
    await connection.setRemoteDescription({ type: 'answer', sdp })
  }
  async function answer(sdp) {
    await open()
    await connection.setRemoteDescription({ type: 'offer', sdp })
    return described(await connection.createAnswer())
  }
  async function figures() {
    const all = [...(await connection.getStats()).values()]
    const of = (type) => all.find((entry) => entry.type === type)
    const inbound = of('inbound-rtp')
    return {
      ice: connection.iceConnectionState,
      dtls: of('transport')?.dtlsState,
      codec: all.find((entry) => entry.id === inbound?.codecId)?.mimeType,
      sent: of('outbound-rtp')?.packetsSent ?? 0,
      received: inbound?.packetsReceived ?? 0,
      lost: inbound?.packetsLost ?? 0,
      energy: inbound?.totalAudioEnergy ?? 0,
    }
  }
`

/** Starts Chromium with a page that can call. */
export async function startBrowser(): Promise<Browser> {
  const { command } = install('chromium')
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(`<!doctype html><audio id="remote" autoplay></audio><script>${SCRIPT}</script>`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath: command, headless: true, args: FLAGS })
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const run = <T>(name: string, sdp?: string): Promise<T> =>
    page.evaluate(`${name}(${sdp === undefined ? '' : JSON.stringify(sdp)})`)
  return {
    offer: () => run('offer'),
    complete: (sdp) => run('complete', sdp),
    answer: (sdp) => run('answer', sdp),
    figures: () => run('figures'),
    async close() {
      await browser.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
