import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { LegShape, LegTransport } from '../../../src/media/anchor/types.ts'
import type { AudioDescription, Dtls } from '../../../src/media/sdp/types.ts'
import {
  createDtlsWire,
  type DtlsWire,
  type DtlsWireOptions,
} from '../../../src/media-relay/io/dtls-wire.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import type { CausewayError } from '../../../src/shared/errors/index.ts'
import type { DtlsMediaTransport } from '../../../src/simulator/media/dtls.ts'

/** A shape with DTLS. */
export function shapeOf(setup: Dtls['setup']): LegShape {
  return {
    keying: 'dtls',
    suites: [],
    cryptoTag: undefined,
    rtcpMux: true,
    setup,
    codecs: [],
    external: true,
  }
}

/** A description with these ICE and DTLS parts. */
export function describe(parts: Partial<AudioDescription>): AudioDescription {
  return {
    address: '127.0.0.1',
    family: 4,
    port: 9,
    rtcp: undefined,
    profile: 'UDP/TLS/RTP/SAVPF',
    direction: 'sendrecv',
    codecs: [{ payloadType: 111, name: 'opus', clockRate: 48000, channels: 2, fmtp: undefined }],
    ptime: 20,
    maxptime: undefined,
    crypto: [],
    dtls: undefined,
    ice: undefined,
    rtcpMux: true,
    mid: 'audio',
    bundle: true,
    index: 0,
    others: [],
    ...parts,
  }
}

/** What the simulator's end says of itself. */
export function ofPeer(peer: DtlsMediaTransport, setup: Dtls['setup']): AudioDescription {
  const { ufrag, password, fingerprint, candidates } = peer.local
  return describe({
    dtls: { fingerprints: [fingerprint], setup },
    ice: {
      ufrag,
      password,
      lite: true,
      candidates: candidates.map((one, n) => ({
        foundation: `${n}`,
        component: 1,
        type: 'host' as const,
        ...one,
      })),
    },
  })
}

/** What a wire says of itself. */
export function ofWire(transport: LegTransport): AudioDescription {
  const { address, family, port, dtls, ice } = transport
  return describe({ address, family, port, dtls, ice })
}

/** Hands our description to the simulator's end. */
export function introduce(peer: DtlsMediaTransport, transport: LegTransport): void {
  const { ice, dtls } = transport
  if (!ice || !dtls || dtls.setup === 'holdconn') throw new Error('no DTLS')
  peer.setRemote({
    ufrag: ice.ufrag,
    password: ice.password,
    fingerprints: dtls.fingerprints,
    setup: dtls.setup,
  })
}

/** A wire with records of what it told, and promises of it. */
export interface Probe {
  wire: DtlsWire
  ready: Promise<void>
  failed: Promise<CausewayError>
  rtp: Buffer[]
  rtcp: Buffer[]
  /** Times onReady and onFailed came. */
  readies: number
  failures: CausewayError[]
  /** Ports it holds. */
  ports: Set<number>
  /** Resolves when so many RTP packets have come. */
  received(count: number): Promise<void>
}

/** Ports of sockets that were opened and closed again: free for the moment. */
export async function freePorts(count: number, address = '127.0.0.1'): Promise<number[]> {
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
      await new Promise<void>((resolve) => socket.bind(0, address, resolve))
      return socket
    }),
  )
  const ports = sockets.map((socket) => socket.address().port)
  await Promise.all(
    sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
  )
  return ports
}

/** Makes a wire on loopback. */
export async function probeWire(
  options: Partial<DtlsWireOptions> & { ports?: number[] } = {},
): Promise<Probe> {
  const listen = options.listen ?? '127.0.0.1'
  const candidates = options.ports ?? (await freePorts(3, listen))
  const ready = Promise.withResolvers<void>()
  const failed = Promise.withResolvers<CausewayError>()
  let waiting: { count: number; resolve(): void }[] = []
  const ports = new Set<number>()
  const probe: Probe = {
    wire: undefined as unknown as DtlsWire,
    ready: ready.promise,
    failed: failed.promise,
    rtp: [],
    rtcp: [],
    readies: 0,
    failures: [],
    ports,
    received: (count) =>
      probe.rtp.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ count, resolve })),
  }
  probe.wire = createDtlsWire({
    externalAddress: undefined,
    takePort: () => {
      const port = candidates.shift()
      if (port !== undefined) ports.add(port)
      return port
    },
    freePort: (port) => {
      if (!ports.delete(port)) throw new Error(`port ${port} given back twice`)
    },
    ssrc: 0x1234,
    cname: 'c@h',
    clock: systemClock,
    events: {
      onRtp(packet, length) {
        probe.rtp.push(Buffer.from(packet.subarray(0, length)))
        for (const one of waiting) if (probe.rtp.length >= one.count) one.resolve()
        waiting = waiting.filter((one) => probe.rtp.length < one.count)
      },
      onRtcp: (packet, length) => void probe.rtcp.push(Buffer.from(packet.subarray(0, length))),
      onReady() {
        probe.readies++
        ready.resolve()
      },
      onFailed(error) {
        probe.failures.push(error)
        failed.resolve(error)
      },
    },
    ...options,
    listen,
  })
  return probe
}

/** An RTP packet, with room behind as slots have. */
export function rtpPacket(sequence: number, ssrc = 0x1234, payloadType = 111): Buffer {
  const slot = Buffer.alloc(172 + 160, 0x5a)
  slot[0] = 0x80
  slot[1] = payloadType
  slot.writeUInt16BE(sequence & 0xffff, 2)
  slot.writeUInt32BE(sequence * 960, 4)
  slot.writeUInt32BE(ssrc, 8)
  return slot
}

/** Resolves when the simulator's end has keys; it sends nothing before. */
export async function isConnected(peer: DtlsMediaTransport): Promise<void> {
  while (peer.state !== 'connected') await new Promise(setImmediate)
}

/** A relay between a wire and the simulator's end, which may add packets to what it passes on. */
export interface Middle {
  /** The peer's description with the relay in its place. */
  description: AudioDescription
  /** Sends to the wire as if the peer had. */
  inject(packet: Buffer): void
  /** Packets of the wire, or of the peer, that pass; all by default. */
  filter: (packet: Buffer, from: 'wire' | 'peer') => boolean
  close(): void
}

/** Opens a relay in front of a peer. */
export async function openMiddle(
  peer: DtlsMediaTransport,
  setup: Dtls['setup'] = 'actpass',
): Promise<Middle> {
  const front = await bound()
  const back = await bound()
  let wire = 0
  front.on('message', (packet, { port }) => {
    wire = port
    if (middle.filter(packet, 'wire')) back.send(packet, peer.local.port, '127.0.0.1')
  })
  back.on('message', (packet) => {
    if (wire !== 0 && middle.filter(packet, 'peer')) front.send(packet, wire, '127.0.0.1')
  })
  const description = ofPeer(peer, setup)
  const candidates = description
    .ice!.candidates.filter((one) => one.address === '127.0.0.1')
    .map((one) => ({ ...one, port: front.address().port }))
  const middle: Middle = {
    description: { ...description, ice: { ...description.ice!, candidates } },
    inject: (packet) => front.send(packet, wire, '127.0.0.1'),
    filter: () => true,
    close() {
      front.close()
      back.close()
    },
  }
  return middle
}

function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket)))
}
