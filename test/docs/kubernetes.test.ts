import { globSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { parseConfig, parseDuration } from '../../src/config/index.ts'
import { httpFixture } from '../http/support.ts'
import { issuesOf } from '../support/config-file.ts'
import {
  among,
  count,
  either,
  flag,
  like,
  misfits,
  port,
  type Shape,
  text,
} from '../support/shape.ts'

const name = like(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/)
const quantity = like(/^\d+(m|Ki|Mi|Gi|Ti)?$/)
const labels: Shape = { '<any>': text }
const metadata: Shape = { 'name*': name, labels }
const selector: Shape = { 'matchLabels*': labels }
const portName = like(/^[a-z0-9-]{1,15}$/)
const probe: Shape = {
  'httpGet*': { 'path*': like(/^\//), 'port*': either(port, portName), host: text },
  periodSeconds: count,
  timeoutSeconds: count,
  failureThreshold: count,
  initialDelaySeconds: count,
}

const CONTAINER: Shape = {
  'name*': name,
  'image*': text,
  args: [text],
  command: [text],
  ports: [{ name: portName, 'containerPort*': port, protocol: among('TCP', 'UDP') }],
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: { preStop: { 'exec*': { 'command*': [text] } } },
  resources: { requests: { cpu: text, memory: quantity }, limits: { cpu: text, memory: quantity } },
  securityContext: {
    allowPrivilegeEscalation: flag,
    readOnlyRootFilesystem: flag,
    capabilities: { drop: [text], add: [text] },
  },
  volumeMounts: [{ 'name*': name, 'mountPath*': like(/^\//), readOnly: flag }],
}

const POD: Shape = {
  hostNetwork: flag,
  dnsPolicy: among('ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'),
  nodeSelector: labels,
  automountServiceAccountToken: flag,
  terminationGracePeriodSeconds: count,
  securityContext: {
    runAsNonRoot: flag,
    runAsUser: count,
    runAsGroup: count,
    fsGroup: count,
    seccompProfile: { 'type*': among('RuntimeDefault', 'Unconfined', 'Localhost') },
  },
  'containers*': [CONTAINER],
  volumes: [
    {
      'name*': name,
      configMap: { 'name*': name },
      secret: { 'secretName*': name, defaultMode: count },
      emptyDir: { medium: among('', 'Memory'), sizeLimit: quantity },
    },
  ],
}

const peers: Shape = [
  {
    ipBlock: { 'cidr*': like(/^[\d.]+\/\d+$/) },
    namespaceSelector: selector,
    podSelector: selector,
  },
]
const policyPorts: Shape = [{ protocol: among('TCP', 'UDP'), port, endPort: port }]

/** The fields of the Kubernetes API that are used here, by kind. */
const KINDS: Record<string, [apiVersion: string, Shape]> = {
  StatefulSet: [
    'apps/v1',
    {
      'spec*': {
        replicas: count,
        'serviceName*': name,
        'selector*': selector,
        'template*': { 'metadata*': { labels }, 'spec*': POD },
        volumeClaimTemplates: [
          {
            'metadata*': { 'name*': name },
            'spec*': {
              'accessModes*': [among('ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany')],
              'resources*': { 'requests*': { 'storage*': quantity } },
              storageClassName: text,
            },
          },
        ],
      },
    },
  ],
  ConfigMap: ['v1', { 'data*': { '<any>': text } }],
  Secret: ['v1', { type: text, 'stringData*': { '<any>': text } }],
  Service: [
    'v1',
    {
      'spec*': {
        clusterIP: text,
        'selector*': labels,
        'ports*': [
          {
            name: portName,
            'port*': port,
            targetPort: either(port, portName),
            protocol: among('TCP', 'UDP'),
          },
        ],
      },
    },
  ],
  PodDisruptionBudget: [
    'policy/v1',
    { 'spec*': { maxUnavailable: count, minAvailable: count, 'selector*': selector } },
  ],
  NetworkPolicy: [
    'networking.k8s.io/v1',
    {
      'spec*': {
        'podSelector*': selector,
        policyTypes: [among('Ingress', 'Egress')],
        ingress: [{ from: peers, ports: policyPorts }],
        egress: [{ to: peers, ports: policyPorts }],
      },
    },
  ],
}

// biome-ignore lint/suspicious/noExplicitAny: judged by the shapes above
type Manifest = any

const FOLDER = 'docker/kubernetes'
const kustomization = parse(readFileSync(`${FOLDER}/kustomization.yaml`, 'utf8'))
const manifests: Manifest[] = kustomization.resources.flatMap((file: string) =>
  parseAllDocuments(readFileSync(`${FOLDER}/${file}`, 'utf8')).map((document) => document.toJS()),
)
const kind = (wanted: string): Manifest => manifests.find((one) => one.kind === wanted)
const pod = kind('StatefulSet').spec.template.spec
const [container] = pod.containers

t.test('the kustomization has every manifest', async (t) => {
  t.same(
    kustomization.resources.map((file: string) => `${FOLDER}/${file}`).sort(),
    globSync(`${FOLDER}/*.yaml`)
      .filter((file) => !file.endsWith('kustomization.yaml'))
      .sort(),
  )
})

for (const manifest of manifests) {
  t.test(`${manifest.kind} has the fields of the API`, async (t) => {
    const [apiVersion, shape] = KINDS[manifest.kind]!
    const whole = { 'apiVersion*': among(apiVersion), 'kind*': text, 'metadata*': metadata }
    t.same(misfits(manifest, { ...whole, ...(shape as object) } as Shape), [])
  })
}

t.test('a misspelt field is found', async (t) => {
  const wrong = structuredClone(kind('StatefulSet'))
  wrong.spec.template.spec.containers[0].livenesProbe = {}
  wrong.spec.template.spec.terminationGracePeriodSeconds = '390'
  const found = misfits(wrong, {
    'apiVersion*': text,
    kind: text,
    metadata,
    ...(KINDS['StatefulSet']![1] as object),
  } as Shape)
  t.same(found, [
    'spec.template.spec.terminationGracePeriodSeconds: "390"',
    'spec.template.spec.containers[0].livenesProbe: unknown',
  ])
})

t.test('every selector finds the pod', async (t) => {
  const { labels } = kind('StatefulSet').spec.template.metadata
  for (const found of [
    kind('StatefulSet').spec.selector.matchLabels,
    kind('Service').spec.selector,
    kind('PodDisruptionBudget').spec.selector.matchLabels,
    kind('NetworkPolicy').spec.podSelector.matchLabels,
  ]) {
    t.match(labels, found)
  }
  t.equal(kind('StatefulSet').spec.serviceName, kind('Service').metadata.name)
})

t.test('the probes ask for paths that are there', async (t) => {
  const { app } = httpFixture()
  t.teardown(() => app.close())
  const paths = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => {
    const { path, port } = container[probe].httpGet
    t.equal(port, 'http')
    return path
  })
  t.same(paths, ['/livez', '/livez', '/readyz'])
  for (const path of paths) t.not((await app.inject(path)).statusCode, 404, path)
})

t.test('the pod has the time it needs to end', async (t) => {
  const drain = parseDuration(container.args.at(-1)) as number
  const { command } = container.lifecycle.preStop.exec
  const wait = parseDuration(command.at(-1)) as number
  t.ok(pod.terminationGracePeriodSeconds * 1000 >= drain + wait + 20_000)
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8'))
  t.same(command.slice(0, 3), ['node', `/app/${bin.causeway}`, 'drain'])
})

t.test('what is mounted is there, and what is read is mounted', async (t) => {
  const claims = kind('StatefulSet').spec.volumeClaimTemplates.map(
    (one: Manifest) => one.metadata.name,
  )
  const volumes = [...pod.volumes.map((one: Manifest) => one.name), ...claims]
  t.same(container.volumeMounts.map((one: Manifest) => one.name).sort(), volumes.sort())
  const secret = Object.keys(kind('Secret').stringData)
  const places: string[] = container.volumeMounts.map((one: Manifest) => one.mountPath)
  const source: string = kind('ConfigMap').data['causeway.yaml']
  const options = {
    file: '/etc/causeway/causeway.yaml',
    readFile: (path: string) => {
      const key = /^\/run\/secrets\/causeway\/(.*)/.exec(path)?.[1]
      if (key ? !secret.includes(key) : !places.some((place) => path.startsWith(place))) {
        throw new Error(`${path} is not in the container`)
      }
      return 'x'
    },
  }
  const { errors, warnings } = issuesOf(source, options)
  t.same(
    [...errors, ...warnings].map(({ message }) => message),
    [],
  )
  const { config } = parseConfig(source, options)
  t.ok(places.includes(config.records.path))
  const open = container.ports.map((one: Manifest) => `${one.protocol} ${one.containerPort}`)
  const { whatsapp, pbx } = config.sip.listen
  t.same(open, [
    `TCP ${whatsapp.port}`,
    ...pbx.map(({ transport, port }) => `${transport.toUpperCase()} ${port}`),
    `TCP ${config.http.listen.port}`,
  ])
  t.ok(config.http.token, "the API is not open to the node's network")
  const rtp = kind('NetworkPolicy').spec.ingress.flatMap((rule: Manifest) => rule.ports)
  t.match(rtp, [{ port: 5061 }, { port: config.media.ports.min, endPort: config.media.ports.max }])
})

t.test('the pod has no more rights than it takes', async (t) => {
  t.match(pod.securityContext, { runAsNonRoot: true, runAsUser: 1000 })
  t.match(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  })
  t.equal(pod.automountServiceAccountToken, false)
  t.equal(kind('StatefulSet').spec.replicas, 1)
  t.notMatch(container.image, /:latest|^[^:]*$/)
})
