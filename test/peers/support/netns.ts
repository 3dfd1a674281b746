import { spawnSync } from 'node:child_process'

/** A network namespace beside ours, with one link between both. */
export interface Namespace {
  /** Our address on the link. */
  readonly here: string
  /** The address in there. */
  readonly there: string
  /** The command that runs a program in there, to be followed by its own. */
  readonly command: readonly string[]
  remove(): void
}

/** Makes a namespace, as root. For peers whose ICE never uses loopback. */
export function createNamespace(): Namespace {
  const name = `causeway-${process.pid}`
  // Of the documentation's own network (RFC 5737), a /30 for each process.
  const base = 4 * (process.pid % 63)
  const [here, there] = [`192.0.2.${base + 1}`, `192.0.2.${base + 2}`]
  const [near, far] = [`cw${process.pid}a`, `cw${process.pid}b`]
  ip('netns', 'add', name)
  const remove = (): void => void spawnSync('ip', ['netns', 'delete', name])
  try {
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name)
    ip('address', 'add', `${here}/30`, 'dev', near)
    ip('link', 'set', near, 'up')
    ip('-n', name, 'address', 'add', `${there}/30`, 'dev', far)
    ip('-n', name, 'link', 'set', far, 'up')
    ip('-n', name, 'link', 'set', 'lo', 'up')
  } catch (error) {
    remove()
    throw error
  }
  return { here, there, command: ['ip', 'netns', 'exec', name], remove }
}

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`)
}
