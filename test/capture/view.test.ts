import t from 'tap'
import { methodOf, nameOf } from '../../src/capture/facts.ts'
import { sdpSummary } from '../../src/capture/sdp-summary.ts'
import { sdpFixture } from '../support/sdp-fixtures.ts'

t.test('names of messages', async (t) => {
  for (const [text, name] of [
    ['INVITE sip:a@b SIP/2.0\r\n', 'INVITE'],
    ['SIP/2.0 180 Ringing\r\n', '180 Ringing'],
    ['SIP/2.0 200\r\n', '200'],
    ['sip/2.0  486  Busy Here \n', '486 Busy Here'],
    ['GET / HTTP/1.1', 'unreadable'],
    ['', 'unreadable'],
  ]) {
    t.equal(nameOf(text!), name)
  }
  t.equal(methodOf('SIP/2.0 200 OK\r\ncseq:  7   BYE\r\n'), 'BYE')
  t.equal(methodOf('SIP/2.0 200 OK\r\nCSeq: x\r\n'), undefined)
})

const audio = (lines: string): string =>
  `v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nt=0 0\r\n${lines}\r\n`

t.test('an SDP in a few words', async (t) => {
  t.equal(sdpSummary(sdpFixture('whatsapp-sdes-offer')), 'opus, SDES, sendrecv')
  for (const [lines, summary] of [
    [
      'm=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly',
      'PCMA PCMU, RTP, sendonly',
    ],
    ['m=audio 4000 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2', 'opus, DTLS, sendrecv'],
    ['m=audio 4000 RTP/AVP 96', 'no codec, RTP, sendrecv'],
    ['m=audio 0 RTP/AVP 8', 'audio refused'],
    ['m=video 4000 RTP/AVP 8', undefined],
    ['m=audio', undefined],
  ] as const) {
    t.equal(sdpSummary(audio(lines)), summary, lines)
  }
  for (const body of ['', 'Signal=1', 'v=0', 'v=0\0\r\nm=aud']) t.equal(sdpSummary(body), undefined)
})
