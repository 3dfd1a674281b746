import type { CallMediaReport } from '../../media/anchor/report.ts'
import type {
  LegId,
  LegMedia,
  LegShape,
  LegTransport,
  MediaEvent,
  Playback,
} from '../../media/anchor/types.ts'
import type { AudioDescription } from '../../media/sdp/types.ts'
import type { LogLevel } from '../../shared/log.ts'
import type { PortCounts, PortRange } from '../ports/port-table.ts'
import type { SocketChoice } from '../udp/index.ts'
import type { Packed, PackedError } from './pack.ts'

/** What a worker is started with. */
export interface WorkerInput {
  /** IP literal the sockets bind. */
  listen: string
  externalAddress: string | undefined
  /** This worker's part of the range. */
  ports: PortRange
  /** This worker's part of the calls that may be transcoded. */
  transcoding: number
  /** How sockets are opened. */
  sockets: SocketChoice
  logLevel: LogLevel
}

/** That, with the memory of `OpenFiles` of the one thread. */
export type ThreadInput = WorkerInput & { files: SharedArrayBuffer }

/** What is asked of a call; an answer comes to each. */
export type Ask =
  | { op: 'offer'; leg: LegId; shape: LegShape; peer: AudioDescription | undefined }
  | { op: 'accept'; leg: LegId; answer: AudioDescription; media: LegMedia }
  | { op: 'answer'; leg: LegId; offer: AudioDescription; shape: LegShape; media: LegMedia }
  | { op: 'promote' }
  | { op: 'drop'; leg: 'pbx' | 'next' }
  | { op: 'play'; leg: LegId; playback: Playback | undefined }
  | { op: 'query' }
  | { op: 'release' }

/** What each question is answered with. */
export interface Answers {
  offer: LegTransport
  accept: undefined
  answer: LegTransport
  promote: undefined
  drop: undefined
  play: undefined
  query: CallMediaReport
  release: CallMediaReport | undefined
}

/** What of a running worker can be changed, for calls to come. */
export type WorkerChanges = Pick<WorkerInput, 'externalAddress' | 'logLevel'>

/** From the main thread to a worker. `call` numbers calls, `id` questions. */
export type ToWorker =
  | { kind: 'allocate'; call: number; name: string }
  | { kind: 'start'; call: number }
  | { kind: 'ask'; id: number; call: number; ask: Packed<Ask> }
  | { kind: 'configure'; changes: WorkerChanges }
  | { kind: 'close' }

/** Figures of a worker. Totals only grow. */
export interface WorkerStatus {
  ports: PortCounts
  transcoding: { active: number; limit: number }
  totals: Record<string, number>
}

/** From a worker to the main thread. */
export type FromWorker =
  | { kind: 'ready' }
  | { kind: 'failed'; error: PackedError }
  | { kind: 'log'; line: string }
  | { kind: 'reply'; id: number; value: Packed<Answers[keyof Answers]> }
  | { kind: 'refusal'; id: number; error: PackedError }
  | { kind: 'event'; call: number; event: Packed<MediaEvent> }
  | { kind: 'status'; status: WorkerStatus }
