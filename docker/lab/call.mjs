// A consumer calls the business number of the lab, and the call is judged: what compose.lab.yaml runs last.
// CONTROL and API name the simulator's control API and Causeway's, where they are not on their usual ports.
const control = process.env.CONTROL ?? 'http://127.0.0.1:18081'
const api = process.env.API ?? 'http://127.0.0.1:8080'
const from = '+33199001234'
const to = '+441632960123'

const json = async (url, init) => {
  const response = await fetch(url, init)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  return response.json()
}
const until = async (what, look) => {
  for (let tries = 0; tries < 150; tries++) {
    const found = await look()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`${what}: not within 30 s`)
}

await until('the number is set up', async () => {
  const { numbers } = await json(`${api}/api/v1/numbers`)
  return numbers.every(({ status, credentials }) => status === 'ok' && credentials)
})
const { id } = await json(`${control}/calls`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ from, to, hangupAfter: 5000 }),
})
const call = await until('the call', async () => {
  const call = await json(`${control}/calls/${encodeURIComponent(id)}`)
  return call.state === 'ended' ? call : undefined
})
const { outcome, violations, media } = call
console.log(
  JSON.stringify({ outcome, violations, heard: media?.heard, received: media?.received }, null, 2),
)
const good = outcome?.by === 'consumer' && violations.length === 0 && media?.heard === true
console.log(
  good ? 'the call was good: the consumer was answered and heard itself' : 'the call failed',
)
process.exitCode = good ? 0 : 1
