import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { EXIT } from '../../src/cli/verb.ts'
import { blocksOf } from '../support/markdown.ts'

/** The keys used here, by section; `systemd-analyze verify` passes over them without a word. */
const KNOWN: Record<string, readonly string[]> = {
  Unit: ['Description', 'Documentation', 'Wants', 'After'],
  Service: [
    ...['Type', 'NotifyAccess', 'User', 'Group', 'ExecStart', 'ExecReload', 'EnvironmentFile'],
    ...['Environment', 'WorkingDirectory', 'StateDirectory', 'StateDirectoryMode', 'UMask'],
    ...['TimeoutStartSec', 'TimeoutStopSec', 'KillMode', 'Restart', 'RestartSec', 'WatchdogSec'],
    ...['RestartPreventExitStatus', 'LimitCORE', 'LimitNOFILE', 'CapabilityBoundingSet'],
    ...['AmbientCapabilities', 'NoNewPrivileges', 'MemoryDenyWriteExecute', 'ProtectSystem'],
    ...['ProtectHome', 'PrivateTmp', 'PrivateDevices', 'ProtectClock', 'ProtectControlGroups'],
    ...['ProtectHostname', 'ProtectKernelLogs', 'ProtectKernelModules', 'ProtectKernelTunables'],
    ...['ProtectProc', 'RemoveIPC', 'LockPersonality', 'RestrictNamespaces', 'RestrictRealtime'],
    ...['RestrictSUIDSGID', 'RestrictAddressFamilies', 'SystemCallArchitectures'],
    ...['SystemCallFilter', 'SystemCallErrorNumber', 'LoadCredential', 'ReadOnlyPaths'],
  ],
  Install: ['WantedBy'],
}

type Unit = Map<string, string[]>

/** `Section.Key` with its values; what is no assignment, section or comment throws. */
function parseUnit(text: string): Unit {
  const unit: Unit = new Map()
  let section = ''
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const head = /^\[(\w+)\]$/.exec(line)
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? []
    if (head) section = head[1]!
    else if (!key || !KNOWN[section]?.includes(key)) throw new Error(`[${section}] ${line}`)
    else unit.set(`${section}.${key}`, [...(unit.get(`${section}.${key}`) ?? []), value!])
  }
  return unit
}

const text = readFileSync('systemd/causeway.service', 'utf8')
const unit = parseUnit(text)
const one = (key: string): string => unit.get(`Service.${key}`)?.join(' ') ?? ''
const seconds = (value: string): number =>
  Number.parseInt(value, 10) * (value.endsWith('m') ? 60 : value.endsWith('h') ? 3600 : 1)

t.test('the unit runs the launcher of the package, as the launcher says itself', async (t) => {
  const { bin, name, files } = JSON.parse(readFileSync('package.json', 'utf8'))
  const [node, flag, launcher, verb, , config] = one('ExecStart').split(' ')
  t.equal(node, '/usr/bin/node')
  t.match(readFileSync(bin.causeway, 'utf8').split('\n')[0], new RegExp(`${flag}$`))
  t.equal(launcher, `/opt/causeway/node_modules/${name}/${bin.causeway}`)
  t.equal(verb, 'up')
  t.match(readFileSync('systemd/causeway.tmpfiles', 'utf8'), 'd /etc/causeway 0750 root causeway')
  t.match(config, /^\/etc\/causeway\//)
  t.ok(files.includes('systemd'), 'the package brings the unit')
  const docs = unit.get('Unit.Documentation')![0]!.replace(/^file:.*@causeway\/bridge\//, '')
  t.ok(existsSync(docs), docs)
})

t.test('times and limits fit each other', async (t) => {
  const drain = seconds(/--drain (\S+)/.exec(one('ExecStart'))![1]!)
  t.ok(seconds(one('TimeoutStopSec')) >= drain + 30, 'BYE and its answers after the drain')
  t.ok(seconds(one('WatchdogSec')) >= 20, 'a part may take 5 s to answer, twice in its time')
  t.ok(Number(one('LimitNOFILE')) >= 6 * 10_000)
  t.equal(one('RestartPreventExitStatus'), `${EXIT.usage} ${EXIT.config}`)
  t.equal(one('Restart'), 'on-failure')
})

t.test('it is told what systemd needs to know, and no more rights than it takes', async (t) => {
  t.equal(one('Type'), 'notify')
  t.equal(one('NotifyAccess'), 'main')
  t.equal(one('ExecReload'), '/bin/kill -HUP $MAINPID')
  t.equal(one('User'), 'causeway')
  t.match(readFileSync('systemd/causeway.sysusers', 'utf8'), /^u causeway - /m)
  for (const key of ['CapabilityBoundingSet', 'AmbientCapabilities']) {
    t.same(unit.get(`Service.${key}`), [''], key)
  }
  t.equal(one('MemoryDenyWriteExecute'), 'no', 'V8 compiles at run time')
  t.equal(one('ProtectSystem'), 'strict')
  t.match(one('RestrictAddressFamilies'), /AF_INET AF_INET6 AF_UNIX AF_NETLINK/)
})

t.test('what the guides add to the unit is made of known keys', async (t) => {
  let seen = 0
  for (const guide of ['install', 'operating', 'certificate', 'upgrade']) {
    for (const block of blocksOf(`docs/guides/${guide}.md`, 'ini')) {
      if (!/^\[(Unit|Service)\]$/m.test(block)) continue
      seen++
      t.ok(parseUnit(block).size > 0, guide)
    }
  }
  t.ok(seen > 0)
})
