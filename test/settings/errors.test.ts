import t from 'tap'
import { transportError } from '../../src/settings/errors.ts'
import { GraphError } from '../../src/settings/index.ts'

const DOCUMENTED = [
  4, 10, 100, 190, 613, 80007, 130429, 131009, 131026, 131030, 131044, 131055, 138000, 138001,
  138002, 138003, 138004, 138005, 138006, 138007, 138009, 138012, 138013, 138014, 138015, 138017,
  138018, 138019, 138020, 138021, 138022, 138023, 138024, 138025,
]

function graphError(status: number, error: unknown): GraphError {
  const text = typeof error === 'string' ? error : JSON.stringify({ error })
  return new GraphError({ status, text, retryAfter: undefined }, 'number support')
}

t.test('every documented code has a row with cause, owner and fix', async (t) => {
  for (const code of DOCUMENTED) {
    const error = graphError(400, { code, message: 'm' })
    t.equal(error.code, `SETTINGS_GRAPH_${code}`)
    t.ok(error.definition.cause && error.owner && error.fix, `${code} is explained`)
  }
})

t.test('codes are told from status, envelope and shape', async (t) => {
  const rows: [number, unknown, string, boolean][] = [
    [400, { code: 100, error_subcode: 33 }, 'SETTINGS_GRAPH_100_33', false],
    [400, { code: '190' }, 'SETTINGS_GRAPH_190', false],
    [403, { code: 200 }, 'SETTINGS_GRAPH_200', false],
    [403, { code: 299 }, 'SETTINGS_GRAPH_200', false],
    [400, { code: 300 }, 'SETTINGS_GRAPH_UNKNOWN', false],
    [400, { code: 80007 }, 'SETTINGS_GRAPH_80007', true],
    [200, { code: 4 }, 'SETTINGS_GRAPH_4', true],
    [200, { code: 999 }, 'SETTINGS_GRAPH_UNKNOWN', false],
    [429, { code: 999 }, 'SETTINGS_GRAPH_THROTTLED', true],
    [503, { code: 2 }, 'SETTINGS_GRAPH_SERVER', true],
    [500, { code: 138004 }, 'SETTINGS_GRAPH_138004', true],
    [502, '<html>', 'SETTINGS_GRAPH_SERVER', true],
    [404, '<html>', 'SETTINGS_MALFORMED_RESPONSE', false],
    [301, '', 'SETTINGS_MALFORMED_RESPONSE', false],
    [401, '{"meta":{"developer_message":"Invalid api key"}}', 'SETTINGS_GRAPH_190', false],
    [403, '{}', 'SETTINGS_GRAPH_200', false],
    [400, '{"errors":[{"title":"odd"}]}', 'SETTINGS_GRAPH_UNKNOWN', false],
  ]
  for (const [status, body, code, transient] of rows) {
    const error = graphError(status, body)
    t.equal(error.code, code, `${status} ${JSON.stringify(body)}`)
    t.equal(error.transient, transient, `${code} transient`)
  }
})

t.test('the detail carries the text and the trace, bounded and without tokens', async (t) => {
  const error = graphError(400, {
    message: '(#138018) Calling cannot be enabled',
    code: 138018,
    error_data: { messaging_product: 'whatsapp', details: 'pre-requisites are not met' },
    fbtrace_id: 'AbC',
  })
  t.match(error.detail, /cannot be enabled: pre-requisites are not met/)
  t.match(error.detail, /HTTP 400, code 138018, fbtrace_id AbC/)
  t.equal(error.place, 'number support')
  const leaky = graphError(400, { code: 190, message: `Bearer EAAGtoken ${'x'.repeat(5000)}` })
  t.notMatch(leaky.detail, /EAAGtoken/)
  t.ok(leaky.detail!.length < 800)
})

t.test('transport failures are told apart', async (t) => {
  const rows: [string, string][] = [
    ['ECONNREFUSED', 'SETTINGS_UNREACHABLE'],
    ['ENOTFOUND', 'SETTINGS_UNREACHABLE'],
    ['UND_ERR_SOCKET', 'SETTINGS_UNREACHABLE'],
    ['UND_ERR_CONNECT_TIMEOUT', 'SETTINGS_TIMEOUT'],
    ['ETIMEDOUT', 'SETTINGS_TIMEOUT'],
    ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'SETTINGS_MALFORMED_RESPONSE'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'SETTINGS_TLS'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'SETTINGS_TLS'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SETTINGS_TLS'],
    ['CERT_HAS_EXPIRED', 'SETTINGS_TLS'],
  ]
  for (const [system, code] of rows) {
    const cause = Object.assign(new Error('inner'), { code: system })
    const error = transportError(new TypeError('fetch failed', { cause }), 'number x')
    t.equal(error.code, code, system)
    t.ok(error.retryable, `${code} may pass`)
  }
  const many = new AggregateError([Object.assign(new Error('v6'), { code: 'ECONNREFUSED' })])
  t.equal(transportError(new TypeError('x', { cause: many }), '').detail, 'ECONNREFUSED')
})
