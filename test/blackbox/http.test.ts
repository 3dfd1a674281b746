import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { until } from '../support/until.ts'
import { businessTalk, metaBye, pbxBye, userTalk } from './support/calls.ts'
import { BUSINESS, CONSUMER, type Lab, printsNoSecret, withLab } from './support/lab.ts'
import { response } from './support/message.ts'

interface Listed {
  id: string
  [key: string]: unknown
}

async function list(lab: Lab, query = ''): Promise<{ total: number; calls: Listed[] }> {
  return (await (await lab.http(`/api/v1/calls${query}`)).json()) as {
    total: number
    calls: Listed[]
  }
}

/** A request as written, without what fetch tidies up. */
function rawStatus(lab: Lab, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const url = new URL(lab.at.http)
    request({ host: url.hostname, port: url.port, path, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

/** What a connection of its own gets for bytes that are no request anybody should send. */
function rawAnswer(lab: Lab, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const url = new URL(lab.at.http)
    let text = ''
    connect(Number(url.port), url.hostname, function (this: Socket) {
      this.end(bytes)
    })
      .on('data', (chunk) => (text += chunk))
      .on('error', reject)
      .on('close', () => resolve(text))
  })
}

t.test('every path, with and without the token', (t) =>
  withLab(t, {}, async (lab) => {
    const open = (path: string, init?: RequestInit) => fetch(lab.at.http + path, init)
    for (const path of ['/livez', '/readyz', '/healthz', '/metrics']) {
      t.equal((await open(path)).status, 200, path)
    }
    const health = await open('/healthz')
    t.match(health.headers.get('content-type'), 'application/health+json')
    const report = (await health.json()) as { status: string; checks: Record<string, object[]> }
    t.equal(report.status, 'pass')
    for (const component of ['sip-server', 'relay', 'certificate', 'number', 'trunk']) {
      t.ok(report.checks[component]?.length, component)
    }
    for (const [method, path] of [
      ['GET', '/api/v1/calls'],
      ['GET', '/api/v1/calls/x'],
      ['DELETE', '/api/v1/calls/x'],
      ['GET', '/api/v1/numbers'],
      ['GET', '/api/v1/trunks'],
      ['GET', '/api/v1/config'],
      ['POST', '/api/v1/reload'],
      ['POST', '/api/v1/drain'],
      ['POST', '/api/v1/undrain'],
      ['GET', '/api/v1/undrain'],
      ['PUT', '/api/v1/calls'],
      ['GET', '/api/v1/nothing'],
      ['GET', '/api/v1/calls/%zz'],
      ['GET', '/api'],
    ] as const) {
      for (const authorization of [
        '',
        'Bearer ',
        'Bearer wrong',
        'Basic YTpi',
        'bearerapiTokenNobodyMaySee',
      ]) {
        const response = await open(path, {
          method,
          headers: authorization ? { authorization } : {},
        })
        t.equal(response.status, 401, `${method} ${path} ${authorization}`)
        printsNoSecret(t, await response.text())
      }
    }
    for (const path of [
      '/api//v1/calls',
      '/API/v1/calls',
      '/api/v1/../v1/config',
      '/%61pi/v1/config',
    ]) {
      t.ok([401, 404].includes(await rawStatus(lab, path, {})), path)
    }
    for (const path of ['/api/v1/numbers', '/api/v1/trunks', '/api/v1/config']) {
      const text = await (await lab.http(path)).text()
      printsNoSecret(t, text)
      t.ok(text.includes('support') || text.includes('main'), path)
    }
    t.equal((await lab.http('/api/v1/calls/none')).status, 404)
    t.equal((await lab.http('/api/v1/calls/none', { method: 'DELETE' })).status, 404)
    t.equal((await lab.http('/api/v1/calls?state=odd')).status, 400)
    t.equal((await lab.http('/api/v1/calls?limit=0')).status, 400)
    t.equal((await lab.http('/api/v1/nothing')).status, 404)
    t.equal((await open('/nothing')).status, 404)
    for (const [bytes, status] of [
      [`GET /livez HTTP/1.1\r\nHost: x\r\nX-Large: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
      ['INVITE sip:x SIP/2.0\r\n\r\n', 400],
      ['GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400],
    ] as const) {
      const [head = '', body = ''] = (await rawAnswer(lab, bytes)).split('\r\n\r\n')
      t.equal(Number(head.split(' ')[1]), status, bytes.slice(0, 20))
      t.match(head, /content-type: application\/json/i)
      t.equal(JSON.parse(body).error.code, 'APP_HTTP_BAD_REQUEST', 'in the words of the interface')
    }
    const large = await lab
      .http('/api/v1/reload', { method: 'POST', body: 'x'.repeat(1_000_000) })
      .catch(() => undefined)
    t.ok(!large || large.status >= 400, 'a body nobody asked for')
    t.equal((await open('/livez')).status, 200)
  }),
)

t.test('without a token the API answers on loopback', (t) =>
  withLab(
    t,
    {
      edit: (config) => {
        delete config.http.token
      },
    },
    async (lab) => {
      t.equal((await fetch(`${lab.at.http}/api/v1/calls`)).status, 200)
    },
  ),
)

t.test('a call while it lasts and afterwards', (t) =>
  withLab(t, {}, async (lab) => {
    const started = Date.now()
    const talk = await userTalk(lab, { headers: [['x-wa-meta-country-code', 'FR']] })
    // The 200 is on its way to WhatsApp a moment before the call is listed as answered.
    let active: Awaited<ReturnType<typeof list>> = { calls: [], total: 0 }
    await until('the answer in the list', async () => {
      active = await list(lab, '?state=active')
      return active.calls[0]?.['state'] === 'answered'
    })
    t.equal(active.total, 1)
    const { id } = active.calls[0]!
    t.match(active.calls[0], {
      direction: 'user-initiated',
      state: 'answered',
      number: 'support',
      trunk: 'main',
      business: BUSINESS,
      consumer: CONSUMER,
      whatsapp: { wacid: talk.meta.wacid, country: 'FR' },
    })
    t.ok(Number(active.calls[0]!['startedAt']) >= started - 1000)
    t.equal((await list(lab, `?wacid=${encodeURIComponent(talk.meta.wacid)}`)).total, 1)
    t.equal((await list(lab, '?wacid=other')).total, 0)
    t.equal((await list(lab, '?state=ended')).total, 0)

    const during = await (await lab.http('/metrics')).text()
    t.notMatch(during, new RegExp(`${BUSINESS.slice(1)}|${CONSUMER.slice(1)}|wacid|outgoing:`))
    t.match(during, /^causeway_calls?_?\w*\{[^}]*\} 1$/m, 'a call shows')
    t.match(during, /# EOF\n$/, 'OpenMetrics ends so')

    await metaBye(lab, talk, [['x-wa-meta-call-duration', '42']])
    const one = (await (await lab.http(`/api/v1/calls/${id}`)).json()) as {
      ladder: { side: string; direction: string; what: string }[]
      whatsapp: object
      cause: object
    }
    t.match(one, { id, state: 'ended', whatsapp: { callDuration: 42 }, cause: { code: 'NORMAL' } })
    const steps = one.ladder.map(({ what }) => what.split(' ')[0])
    t.same(steps.slice(0, 2), ['INVITE', 'INVITE'])
    for (const step of ['200', 'ACK', 'BYE']) t.ok(steps.includes(step), step)
    printsNoSecret(t, JSON.stringify(one))
    t.notMatch(JSON.stringify(one), /inline:/, 'no SRTP key')

    const out = await businessTalk(lab)
    const second = (await list(lab, '?state=active')).calls[0]!
    t.equal((await lab.http(`/api/v1/calls/${second.id}`, { method: 'DELETE' })).status, 202)
    const [wa, pbx] = await Promise.all([
      lab.wa.inbox.take({ method: 'BYE', callId: out.wa.state.callId }),
      lab.pbx.inbox.take({ method: 'BYE', callId: out.pbx.state.callId }),
    ])
    wa.reply(response(wa.sip, '200 OK'))
    pbx.reply(response(pbx.sip, '200 OK'))
    const ended = await list(lab, '?state=ended')
    t.match(ended.calls[0], { id: second.id, cause: { code: 'CALL_ENDED_BY_OPERATOR' } })
    t.equal((await lab.http(`/api/v1/calls/${second.id}`, { method: 'DELETE' })).status, 404)

    const after = await (await lab.http('/metrics')).text()
    const gauges = [
      ...after.matchAll(/^# TYPE (causeway_\w*(?:calls|transactions|dialogs)\w*) gauge$/gm),
    ]
    for (const [, name] of gauges) {
      if (/transactions|limit|records/.test(name!)) continue
      const values = [...after.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))]
      t.ok(
        values.every(([, value]) => Number(value) === 0),
        `${name} is back at zero`,
      )
    }
    t.ok(gauges.length > 0)
  }),
)

t.test('drain and undrain over HTTP, with what /readyz says', (t) =>
  withLab(t, {}, async (lab) => {
    const talk = await userTalk(lab)
    t.equal((await lab.http('/api/v1/drain', { method: 'POST' })).status, 200)
    const ready = await fetch(`${lab.at.http}/readyz`)
    t.equal(ready.status, 503)
    t.match(await ready.json(), { ready: false, reasons: [/drain/] })
    t.equal((await fetch(`${lab.at.http}/livez`)).status, 200)
    t.equal((await list(lab, '?state=active')).total, 1, 'the call goes on')
    t.equal((await lab.http('/api/v1/undrain', { method: 'POST' })).status, 200)
    t.equal((await fetch(`${lab.at.http}/readyz`)).status, 200)
    await pbxBye(lab, talk)
    await metaBye(lab, await userTalk(lab))
  }),
)
