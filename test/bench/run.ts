/**
 * `npm run bench -- sip|media|webhooks [options]`: measurements. They print a table and write JSON, and never
 * fail on a number.
 */
import { benchMedia } from './media/bench.ts'
import { benchMediaMicro } from './media/micro.ts'
import { benchSip } from './sip/bench.ts'
import { benchWebhooks } from './webhooks/bench.ts'

const benches: Record<string, (args: string[]) => Promise<void>> = {
  sip: benchSip,
  media: benchMedia,
  'media-micro': benchMediaMicro,
  webhooks: benchWebhooks,
}

const [name = '', ...args] = process.argv.slice(2)
const bench = benches[name]
if (bench) await bench(args)
else {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join('|')} [--help]`)
  process.exitCode = 64
}
