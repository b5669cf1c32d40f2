import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { createEngine } from '../../src/inference/index.ts'
import { stopMs } from '../../src/machine/stop-time.ts'
import { silent } from '../inference/fake-engine.ts'
import { run, temporaryFolder } from '../video/clip-file.ts'
import type { KubernetesObject } from './files.ts'
import { copyOfInfra, infra, readInfra, rendered } from './files.ts'

interface Probe {
  httpGet?: { path: string; port: string }
  periodSeconds: number
  timeoutSeconds: number
  failureThreshold: number
}

interface Container {
  name: string
  image: string
  env?: { name: string; value?: string }[]
  ports: { name: string; containerPort: number }[]
  volumeMounts: { name: string; mountPath: string }[]
  startupProbe: Probe
  livenessProbe: Probe
  readinessProbe?: Probe
  resources: { requests: Record<string, string>; limits: Record<string, string> }
  securityContext: unknown
}

interface Pod {
  automountServiceAccountToken: boolean
  terminationGracePeriodSeconds: number
  securityContext: Record<string, unknown>
  containers: [Container]
}

interface Workload {
  name: string
  labels: Record<string, string>
  pod: Pod
}

const hasKubectl = await run('kubectl', ['version', '--client']).then(
  () => true,
  () => false
)
const base = hasKubectl ? (await rendered(`${infra}/kubernetes/base`)).objects : []
const gpu = hasKubectl ? (await rendered(`${infra}/kubernetes/overlays/gpu`)).objects : []

function ofKind(objects: readonly KubernetesObject[], kind: string): KubernetesObject[] {
  return objects.filter((object) => object.kind === kind)
}

function workloads(objects: readonly KubernetesObject[]): Workload[] {
  return [...ofKind(objects, 'Deployment'), ...ofKind(objects, 'StatefulSet')].map(({ metadata, spec }) => {
    const template = spec['template'] as { metadata: { labels: Record<string, string> }; spec: Pod }
    return { name: metadata.name, labels: template.metadata.labels, pod: template.spec }
  })
}

function workload(objects: readonly KubernetesObject[], name: string): Workload {
  return workloads(objects).find((found) => found.name === name) ?? expect.fail(`no ${name}`)
}

const withKubectl = test.skipIf(!hasKubectl)

withKubectl('every pod keeps to the restricted standard, on a root that is read-only', () => {
  for (const { name, pod } of [...workloads(base), ...workloads(gpu)]) {
    expect(pod, name).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
    })
    for (const container of pod.containers) {
      expect(container.securityContext, name).toEqual({
        ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
        capabilities: { drop: ['ALL'] }
      })
      expect(container.image, name).toMatch(/:\d/)
      expect(container.resources.requests, name).toMatchObject({
        ...{ cpu: expect.any(String) as string, memory: expect.any(String) as string }
      })
      expect(container.resources.limits, name).toHaveProperty('memory')
    }
  }
})

withKubectl('a pod of ours has the time that its process takes to stop', () => {
  for (const name of ['gateway', 'worker'])
    expect(workload(gpu, name).pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(stopMs)
})

withKubectl(
  'gateways are asked what they answer, and often enough to be left before they stop listening',
  () => {
    const [container] = workload(base, 'gateway').pod.containers
    const { readinessProbe, livenessProbe, startupProbe, ports } = container
    expect(ports).toEqual([{ name: 'http', containerPort: loadConfig({}).port }])
    for (const probe of [livenessProbe, startupProbe])
      expect(probe.httpGet).toEqual({ path: '/livez', port: 'http' })
    expect(readinessProbe?.httpGet).toEqual({ path: '/readyz', port: 'http' })
    const { periodSeconds = NaN, timeoutSeconds = NaN, failureThreshold } = readinessProbe ?? {}
    expect(failureThreshold).toBe(1)
    const { lameDuckMs } = loadConfig({ REDIS_URL: 'redis://redis' })
    expect((periodSeconds + timeoutSeconds) * 1000).toBeLessThan(lameDuckMs)
  }
)

withKubectl('workers are asked where they answer, and have time to load their models', () => {
  const [settings] = ofKind(base, 'ConfigMap').filter(({ data }) => data?.['REDIS_URL'])
  const metricsPort = Number(settings?.data?.['LEADLINE_METRICS_PORT'])
  const [container] = workload(base, 'worker').pod.containers
  expect(container.ports).toEqual([{ name: 'metrics', containerPort: metricsPort }])
  for (const probe of [container.livenessProbe, container.startupProbe])
    expect(probe.httpGet).toEqual({ path: '/livez', port: 'metrics' })
  expect(container.readinessProbe?.httpGet).toEqual({ path: '/readyz', port: 'metrics' })
  const { startupProbe } = workload(gpu, 'worker').pod.containers[0]
  expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThanOrEqual(1800)
  expect(readInfra('image/Dockerfile')).toContain(`LEADLINE_METRICS_PORT=${metricsPort}`)
})

withKubectl('nothing talks to a pod that no policy names', () => {
  const policies = ofKind(base, 'NetworkPolicy')
  const everything = policies.find(({ metadata }) => metadata.name === 'default-deny')
  expect(everything?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
  for (const { name } of workloads(base)) {
    const [policy] = policies.filter(({ metadata }) => metadata.name === name)
    expect(policy?.spec['podSelector'], name).toEqual({ matchLabels: { 'app.kubernetes.io/name': name } })
    expect(policy?.spec['ingress'], name).not.toEqual([{}])
  }
})

withKubectl('a drained node takes one gateway and one worker at a time', () => {
  for (const name of ['gateway', 'worker']) {
    const [budget] = ofKind(base, 'PodDisruptionBudget').filter(({ metadata }) => metadata.name === name)
    const matchLabels = { 'app.kubernetes.io/name': name }
    expect(budget?.spec).toEqual({ maxUnavailable: 1, selector: { matchLabels } })
    expect(workload(base, name).labels).toMatchObject(matchLabels)
  }
})

withKubectl('workers are counted by figures that they have, and by nothing else', async () => {
  const [scaled] = ofKind(gpu, 'ScaledObject')
  const [worker] = ofKind(gpu, 'Deployment').filter(({ metadata }) => metadata.name === 'worker')
  expect(scaled?.spec['scaleTargetRef']).toEqual({ name: 'worker' })
  expect(worker?.spec).not.toHaveProperty('replicas')
  const [trigger] = scaled?.spec['triggers'] as [{ metadata: { query: string } }]
  const names = trigger.metadata.query.match(/leadline_\w+/g) ?? []
  expect(names).toEqual(['leadline_reserved_bytes', 'leadline_capacity_bytes'])
  const engine = await createEngine({ config: loadConfig({ LEADLINE_EXECUTOR: 'fake' }), log: silent })
  onTestFinished(() => engine.close())
  for (const name of names) expect(engine.metrics.getSingleMetric(name), name).toBeDefined()
})

withKubectl('gateways with a bucket have what it takes to reach it, and workers have not', async () => {
  const overlay = path.join(await copyOfInfra(), 'kubernetes/overlays/bucket')
  await mkdir(overlay)
  const uses = { resources: ['../../base'], components: ['../../components/bucket'] }
  await writeFile(path.join(overlay, 'kustomization.yaml'), JSON.stringify(uses))
  const { objects } = await rendered(overlay)
  const [{ env = [], volumeMounts }] = workload(objects, 'gateway').pod.containers
  const secretFile = env.find(({ name }) => name === 'LEADLINE_BUCKET_SECRET_KEY_FILE')?.value ?? ''
  expect(volumeMounts.map(({ mountPath }) => mountPath)).toContain(path.dirname(secretFile))
  const own = path.join(await temporaryFolder(), 'secret-key')
  await writeFile(own, 'planted\n')
  const settings = env.map(({ name, value }) => [name, value === secretFile ? own : value])
  const { bucket } = loadConfig({ REDIS_URL: 'redis://redis', ...Object.fromEntries(settings) })
  expect(bucket).toMatchObject({ accessKey: 'leadline', secretKey: 'planted' })
  expect(workload(objects, 'worker').pod.containers[0].env ?? []).toEqual(
    workload(base, 'worker').pod.containers[0].env ?? []
  )
  const [policy] = ofKind(objects, 'NetworkPolicy').filter(({ metadata }) => metadata.name === 'gateway')
  expect(policy?.spec['egress']).toContainEqual({ ports: [{ protocol: 'TCP', port: 443 }] })
})

withKubectl('no manifest has a secret in it', () => {
  expect(ofKind([...base, ...gpu], 'Secret')).toEqual([])
  expect(JSON.stringify([...base, ...gpu])).not.toMatch(/rediss?:\/\/[^"]*@/)
})
