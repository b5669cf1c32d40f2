import path from 'node:path'
import { expect, test } from 'vitest'
import { writeFile } from 'node:fs/promises'
import { run, temporaryFolder } from '../video/clip-file.ts'
import type { KubernetesObject } from './files.ts'
import { copyOfInfra, infra, rendered, root, unitsRoot } from './files.ts'

const timeout = 300_000

async function has(program: string, ...args: string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    () => false
  )
}

/** Where pip has put the programs of pyproject.toml; null where there is no package index. */
const programs = await run('bash', ['scripts/python-env.sh', 'test/infra'], { cwd: root }).then(
  ({ stdout }) => path.dirname(stdout.trim()),
  () => null
)
const hasKubectl = await has('kubectl', 'version', '--client')
const hasSystemd = await has('systemd-analyze', '--version')
const hasPromtool = await has('promtool', '--version')
const hasShellcheck = await has('shellcheck', '--version')

/** What a tool finds wrong, on whichever of its outputs; empty: nothing. */
async function faultsOf(program: string, args: readonly string[]): Promise<string> {
  const command = program.includes('/') || programs === null ? program : path.join(programs, program)
  return run(command, args).then(
    () => '',
    (error: { stdout?: string; stderr?: string; message: string }) =>
      `${error.stdout}${error.stderr}` || error.message
  )
}

async function lintImage(folder: string): Promise<string> {
  return faultsOf('hadolint', ['--no-color', path.join(folder, 'image/Dockerfile')])
}

async function validateCompose(folder: string): Promise<string> {
  const file = path.join(folder, 'compose/compose.yaml')
  return faultsOf('check-jsonschema', ['--builtin-schema', 'vendor.compose-spec', file])
}

async function validateKubernetes(folder: string): Promise<string> {
  const file = path.join(await temporaryFolder(), 'objects.yaml')
  // KEDA's kind is not Kubernetes' own, but what it makes of it is.
  const { text, objects } = await rendered(path.join(folder, 'kubernetes/overlays/gpu'))
  const known = text.split(/^---$/m).filter((object) => !object.includes('keda.sh/'))
  await writeFile(file, [...known, ...scaled(objects).map(autoscalerOf)].join('\n---\n'))
  return faultsOf('kubernetes-validate', ['--strict', '--no-warn', '--quiet', file])
}

async function validateScaling(folder: string): Promise<string> {
  const file = path.join(await temporaryFolder(), 'scaled.json')
  const [object] = scaled((await rendered(path.join(folder, 'kubernetes/overlays/gpu'))).objects)
  await writeFile(file, JSON.stringify(object))
  const schema = path.join(root, 'test/infra/scaled-object.schema.json')
  return faultsOf('check-jsonschema', ['--schemafile', schema, file])
}

function scaled(objects: readonly KubernetesObject[]): KubernetesObject[] {
  return objects.filter(({ kind }) => kind === 'ScaledObject')
}

/** What KEDA asks Kubernetes for, as JSON, which is YAML too. */
function autoscalerOf({ metadata, spec }: KubernetesObject): string {
  const { horizontalPodAutoscalerConfig } = spec['advanced'] as { horizontalPodAutoscalerConfig: object }
  return JSON.stringify({
    ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'worker' },
      ...{ minReplicas: spec['minReplicaCount'], maxReplicas: spec['maxReplicaCount'] },
      ...horizontalPodAutoscalerConfig
    }
  })
}

/** Before systemd 253 a key that it does not know is said and no failure. */
async function verifyUnits(folder: string): Promise<string> {
  const units = ['leadline-serve.service', 'leadline-gateway.service', 'leadline-worker@0.service']
  const args = ['verify', '--man=no', `--root=${await unitsRoot(folder)}`, ...units]
  return run('systemd-analyze', args).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: { stderr: string }) => error.stderr
  )
}

async function measureExposure(folder: string): Promise<string> {
  const args = ['security', '--offline=true', '--no-pager', '--threshold=20']
  return faultsOf('/usr/bin/systemd-analyze', [
    ...args,
    `--root=${await unitsRoot(folder)}`,
    'leadline-gateway.service'
  ])
}

async function checkScripts(folder: string): Promise<string> {
  return faultsOf('/usr/bin/shellcheck', [
    path.join(folder, 'redis/start.sh'),
    path.join(folder, 'redis/healthy.sh'),
    path.join(folder, 'image/try.sh')
  ])
}

async function checkRules(folder: string): Promise<string> {
  return promtool('check', 'rules', path.join(folder, 'monitoring/alerts.yaml'))
}

async function testRules(folder: string): Promise<string> {
  return promtool('test', 'rules', path.join(folder, 'monitoring/alerts.test.yaml'))
}

/** The file with the key is not here. */
async function checkPrometheus(folder: string): Promise<string> {
  return promtool('check', 'config', '--syntax-only', path.join(folder, 'monitoring/prometheus.yaml'))
}

/** Of `promtool`, wherever it is installed, and not what pip has put. */
async function promtool(...args: readonly string[]): Promise<string> {
  return faultsOf('/usr/bin/env', ['promtool', ...args])
}

const common = 'systemd/leadline-.service.d/10-common.conf'
const scaledFile = 'kubernetes/components/autoscaling/scaled-object.yaml'
const needsPython = programs !== null

test.skipIf(!needsPython).each([
  ['hadolint', lintImage, { file: 'image/Dockerfile', from: 'USER 10001:10001', to: 'USER root' }],
  [
    'the schema of compose',
    validateCompose,
    { file: 'compose/compose.yaml', from: 'read_only:', to: 'readonly:' }
  ]
])('%s finds no fault, and the one that is planted', { timeout }, expectFindsOnlyThePlanted)

test.skipIf(!needsPython || !hasKubectl).each([
  [
    'the schema of Kubernetes',
    validateKubernetes,
    {
      file: 'kubernetes/base/worker.yaml',
      from: 'terminationGracePeriodSeconds',
      to: 'terminationGracePeriod'
    }
  ],
  [
    'the schema of Kubernetes, of what KEDA asks for,',
    validateKubernetes,
    { file: scaledFile, from: 'stabilizationWindowSeconds', to: 'stabilizationWindow' }
  ],
  [
    'KEDA’s reference',
    validateScaling,
    { file: scaledFile, from: 'pollingInterval', to: 'pollingIntervall' }
  ],
  ['KEDA’s reference', validateScaling, { file: scaledFile, from: 'serverAddress', to: 'address' }]
])('%s finds no fault, and the one that is planted', { timeout }, expectFindsOnlyThePlanted)

test.skipIf(!hasSystemd).each([
  ['systemd-analyze verify', verifyUnits, { file: common, from: 'WatchdogSec=', to: 'WatchdogSecs=' }],
  [
    'systemd-analyze security',
    measureExposure,
    { file: common, from: 'NoNewPrivileges=yes\nCapabilityBoundingSet=\n', to: '' }
  ]
])('%s finds no fault, and the one that is planted', { timeout }, expectFindsOnlyThePlanted)

test
  .skipIf(!hasShellcheck)
  .each([['shellcheck', checkScripts, { file: 'redis/healthy.sh', from: '=$(cat', to: '=`cat $1` $(cat' }]])(
  '%s finds no fault, and the one that is planted',
  { timeout },
  expectFindsOnlyThePlanted
)

test.skipIf(!hasPromtool).each([
  [
    'promtool check rules',
    checkRules,
    { file: 'monitoring/alerts.yaml', from: 'sum by (le)', to: 'sum by le' }
  ],
  ['promtool test rules', testRules, { file: 'monitoring/alerts.yaml', from: '> 0.9', to: '> 0.99' }],
  [
    'promtool check config',
    checkPrometheus,
    { file: 'monitoring/prometheus.yaml', from: 'scrape_timeout: 10s', to: 'scrape_timeout: 10 s' }
  ]
])('%s finds no fault, and the one that is planted', { timeout }, expectFindsOnlyThePlanted)

async function expectFindsOnlyThePlanted(
  _: string,
  check: (folder: string) => Promise<string>,
  mistake: { file: string; from: string; to: string }
): Promise<void> {
  expect(await check(infra)).toBe('')
  expect(await check(await copyOfInfra(mistake))).not.toBe('')
}
