import t from 'tap'
import { opusTicks } from '../../../src/media-relay/call/opus.ts'

t.test('duration of Opus packets, RFC 6716 §3.1', async (t) => {
  const rows: [name: string, octets: number[], ticks: number][] = [
    ['SILK 10 ms', [0 << 3], 480],
    ['SILK 60 ms', [3 << 3], 2880],
    ['SILK wide band 20 ms', [9 << 3], 960],
    ['hybrid 10 ms', [12 << 3], 480],
    ['hybrid 20 ms', [15 << 3], 960],
    ['CELT 2.5 ms', [16 << 3], 120],
    ['CELT 20 ms', [31 << 3], 960],
    ['two frames of 20 ms, same size', [(31 << 3) | 1], 1920],
    ['two frames of 20 ms, other size', [(31 << 3) | 2], 1920],
    ['three frames', [(31 << 3) | 3, 3], 2880],
    ['six frames, VBR and padding', [(31 << 3) | 3, 0xc6], 5760],
    ['more than 120 ms', [(31 << 3) | 3, 7], 0],
    ['no frame', [(31 << 3) | 3, 0], 0],
    ['cut off', [(31 << 3) | 3], 0],
    ['nothing', [], 0],
  ]
  for (const [name, octets, ticks] of rows) {
    t.equal(opusTicks(Uint8Array.from(octets), 0, octets.length), ticks, name)
  }
})
