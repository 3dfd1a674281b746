import t from 'tap'
import { Causeway } from './support/causeway.ts'
import { printsNoSecret, withLab } from './support/lab.ts'

interface Document {
  verdict: string
  checks: { id: string; verdict: string; findings: { evidence: string }[] }[]
}

t.test('the doctor beside a running instance: it learns from it and leaves it alone', async (t) => {
  await withLab(t, {}, async (lab) => {
    // WhatsApp and the PBX of this lab take no OPTIONS: their silence would be waited for.
    const doctor = new Causeway(
      ['doctor', '-c', lab.file, '--url', lab.at.http, '--skip', 'credentials,pbx', '--json'],
      {},
    )
    const code = await doctor.exited
    const { verdict, checks } = JSON.parse(doctor.stdout) as Document
    const evidence = (id: string) => checks.find((one) => one.id === id)?.findings[0]?.evidence
    t.same(
      checks.filter(({ verdict }) => verdict === 'fail'),
      [],
      'nothing fails',
    )
    t.equal(code, verdict === 'warn' ? 2 : 0)
    t.match(evidence('instance'), lab.at.http)
    t.match(evidence('certificate'), /no client certificate asked for$/)
    t.match(evidence('key-exchange'), /^SDES, relay none$/)
    t.match(evidence('whatsapp-tls'), /without ALPN$/)
    printsNoSecret(t, doctor.output)
    t.equal((await lab.http('/readyz')).status, 200, 'the instance is as ready as before')
    for (const visit of lab.wa.visits) t.equal(visit.alpn, '', 'no ALPN was offered')
  })
})
