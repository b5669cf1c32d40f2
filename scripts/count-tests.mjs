// Add up what the test runners wrote into the folder given, print "N passed, N failed[, N skipped]" as the last line,
// and exit 1 when a test failed, none ran, or more were skipped than this machine explains (.ci/expected-skips.json).
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const folder = process.argv[2]
const root = path.dirname(import.meta.dirname)
const counts = { passed: 0, failed: 0, skipped: 0 }

const vitest = JSON.parse(readFileSync(path.join(folder, 'vitest.json'), 'utf8'))
counts.passed += vitest.numPassedTests
counts.failed += vitest.numFailedTests
counts.skipped += vitest.numPendingTests + vitest.numTodoTests
// A file that cannot be loaded has no tests and must still count.
counts.failed += vitest.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.length === 0
).length

const expected = JSON.parse(readFileSync(path.join(root, '.ci', 'expected-skips.json'), 'utf8'))
let allowed = existsSync(path.join(root, '..', 'shared', 'data')) ? 0 : expected.vitestWithoutSharedData

// Written where no driver could be had for the WebGPU tests.
if (existsSync(path.join(folder, 'no-vulkan'))) allowed += process.env.CI ? 0 : expected.vitestWithoutVulkan

// Written where the npm registry could not be reached, without which no package can be installed.
if (existsSync(path.join(folder, 'no-registry')))
  allowed += process.env.CI ? 0 : expected.vitestWithoutRegistry

const pytestReport = path.join(folder, 'pytest.xml')
if (existsSync(pytestReport)) {
  const suite = readFileSync(pytestReport, 'utf8').match(/<testsuite [^>]*>/)?.[0] ?? ''
  const attribute = (name) => Number(suite.match(new RegExp(`${name}="(\\d+)"`))?.[1] ?? 0)
  const failed = attribute('failures') + attribute('errors')
  counts.failed += failed
  counts.skipped += attribute('skipped')
  counts.passed += attribute('tests') - failed - attribute('skipped')
  if (!existsSync(path.join(root, '..', 'shared', 'data'))) allowed += expected.pytestWithoutSharedData
} else {
  counts.skipped += expected.pytestWithoutTorch
  allowed += process.env.CI ? 0 : expected.pytestWithoutTorch
}

if (counts.skipped > allowed) {
  console.log(`${counts.skipped} tests were skipped; this machine explains ${allowed}`)
}
console.log(
  `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`
)
process.exit(counts.failed > 0 || counts.passed === 0 || counts.skipped > allowed ? 1 : 0)
