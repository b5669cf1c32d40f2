// Add up what the test runners wrote into the folder given, print "N passed, N failed[, N skipped]" as the last line,
// and exit 1 when a test failed, none ran, or more were skipped than this machine explains (.ci/expected-skips.json).
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const folder = process.argv[2]
const root = path.dirname(import.meta.dirname)
const counts = { passed: 0, failed: 0, skipped: 0 }

const readVitest = (file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8'))

/** Of a report of vitest. A file that cannot be loaded has no tests and must still count. */
const failuresOf = ({ testResults }) =>
  testResults.flatMap(({ name, status, assertionResults }) =>
    status === 'failed' && assertionResults.length === 0
      ? [name]
      : assertionResults.filter((test) => test.status === 'failed').map((test) => `${name}: ${test.fullName}`)
  )

const vitest = readVitest('vitest.json')
const failed = failuresOf(vitest)
// Written where the files that failed were few enough to run once more, alone.
const failedAgain = existsSync(path.join(folder, 'vitest-again.json'))
  ? failuresOf(readVitest('vitest-again.json'))
  : failed
const unsteady = failed.filter((test) => !failedAgain.includes(test))
for (const test of unsteady) console.log(`unsteady, passed when it ran alone: ${path.relative(root, test)}`)
counts.passed += vitest.numPassedTests + unsteady.length
counts.failed += failedAgain.length
counts.skipped += vitest.numPendingTests + vitest.numTodoTests

const expected = JSON.parse(readFileSync(path.join(root, '.ci', 'expected-skips.json'), 'utf8'))
let allowed = existsSync(path.join(root, '..', 'shared', 'data')) ? 0 : expected.vitestWithoutSharedData

// Written where no driver could be had for the WebGPU tests.
if (existsSync(path.join(folder, 'no-vulkan'))) allowed += process.env.CI ? 0 : expected.vitestWithoutVulkan

// Written where there is no Chromium and none could be installed.
if (existsSync(path.join(folder, 'no-chromium')))
  allowed += process.env.CI ? 0 : expected.vitestWithoutChromium

// Written where the npm registry could not be reached, without which no package can be installed.
if (existsSync(path.join(folder, 'no-registry')))
  allowed += process.env.CI ? 0 : expected.vitestWithoutRegistry

// Written where no package index could be reached for a server that speaks S3.
if (existsSync(path.join(folder, 'no-bucket'))) allowed += process.env.CI ? 0 : expected.vitestWithoutBucket

// Written where no package index could be reached for what asks all that the OpenAPI document allows.
if (existsSync(path.join(folder, 'no-openapi-run')))
  allowed += process.env.CI ? 0 : expected.vitestWithoutOpenapiRun

// Written where no package index could be reached for what reads the files that depth is written as.
if (existsSync(path.join(folder, 'no-depth-readers')))
  allowed += process.env.CI ? 0 : expected.vitestWithoutDepthReaders

// Written where GStreamer's RTSP server is not installed and could not be.
if (existsSync(path.join(folder, 'no-rtsp'))) allowed += process.env.CI ? 0 : expected.vitestWithoutRtspServer

// Programs that look at the files of infra/. Debian has no kubectl, so that it may be absent where the tests must run, too.
if (existsSync(path.join(folder, 'no-infra-checks')))
  allowed += process.env.CI ? 0 : expected.vitestWithoutInfraChecks
if (existsSync(path.join(folder, 'no-system-checks')))
  allowed += process.env.CI ? 0 : expected.vitestWithoutSystemChecks
if (existsSync(path.join(folder, 'no-promtool')))
  allowed += process.env.CI ? 0 : expected.vitestWithoutPromtool
if (existsSync(path.join(folder, 'no-kubectl'))) allowed += expected.vitestWithoutKubectl

/** Adds what pytest wrote of one suite; null if it did not run. */
function addPytest(file) {
  const report = path.join(folder, file)
  if (!existsSync(report)) return null
  const suite = readFileSync(report, 'utf8').match(/<testsuite [^>]*>/)?.[0] ?? ''
  const attribute = (name) => Number(suite.match(new RegExp(`${name}="(\\d+)"`))?.[1] ?? 0)
  const failed = attribute('failures') + attribute('errors')
  const tests = attribute('tests')
  const skipped = attribute('skipped')
  counts.failed += failed
  counts.skipped += skipped
  counts.passed += tests - failed - skipped
  return tests
}

/** A suite that did not run counts as skipped, which only a machine of one's own may do. */
function allowAbsent(tests) {
  counts.skipped += tests
  allowed += process.env.CI ? 0 : tests
}

if (addPytest('pytest.xml') === null) allowAbsent(expected.pytestWithoutTorch)
else if (!existsSync(path.join(root, '..', 'shared', 'data'))) allowed += expected.pytestWithoutSharedData

if (addPytest('pytest-client.xml') === null) allowAbsent(expected.pytestClientWithoutPackages)

if (counts.skipped > allowed) {
  console.log(`${counts.skipped} tests were skipped; this machine explains ${allowed}`)
}
console.log(
  `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`
)
process.exit(counts.failed > 0 || counts.passed === 0 || counts.skipped > allowed ? 1 : 0)
