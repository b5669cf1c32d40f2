import { expect, test } from 'vitest'
import { exactWeightBits, fastInt8Instructions, featuresIn } from '../../src/inference/cpu-features.ts'

/** Excerpts of /proc/cpuinfo. */
const processors = {
  'EPYC Milan': ['x64', 'flags\t\t: fma avx f16c avx2 bmi2 sha_ni vaes'],
  'Xeon Skylake': ['x64', 'flags\t\t: fma avx avx2 avx512f avx512dq avx512cd avx512bw avx512vl'],
  'Xeon Cascade Lake': ['x64', 'flags\t\t: fma avx2 avx512f avx512dq avx512bw avx512vl avx512_vnni'],
  'Core Alder Lake': ['x64', 'flags\t\t: fma avx avx2 avx_vnni'],
  'EPYC Turin': ['x64', 'flags\t\t: avx2 avx512f avx512dq avx512bw avx512vl avx_vnni avx512_vnni'],
  'Turin whose hypervisor hides AVX512-VNNI': [
    'x64',
    'flags\t\t: avx2 avx512f avx512dq avx512bw avx512vl avx_vnni'
  ],
  'Xeon Phi': ['x64', 'flags\t\t: avx2 avx512f avx512pf avx512er avx512cd avx512_4vnniw'],
  'Xeon with AMX whose hypervisor hides VNNI': [
    'x64',
    'flags\t\t: avx2 avx512f avx512dq avx512bw avx512vl amx_int8'
  ],
  'an x64 system that says nothing': ['x64', ''],
  'Cortex-A72': ['arm64', 'Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid'],
  'Neoverse-N1': [
    'arm64',
    'Features\t: fp asimd aes atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp'
  ],
  'an Apple processor': ['arm64', '']
} as const

test.each([
  ['EPYC Milan', 7, []],
  ['Xeon Skylake', 7, []],
  ['Xeon Cascade Lake', 8, ['avx512_vnni']],
  ['Core Alder Lake', 8, ['avx_vnni']],
  ['EPYC Turin', 8, ['avx512_vnni', 'avx_vnni']],
  ['Turin whose hypervisor hides AVX512-VNNI', 7, ['avx_vnni']],
  ['Xeon Phi', 7, []],
  ['Xeon with AMX whose hypervisor hides VNNI', 7, ['amx_int8']],
  ['an x64 system that says nothing', 7, []],
  ['Cortex-A72', 8, []],
  ['Neoverse-N1', 8, ['asimddp']],
  ['an Apple processor', 8, []]
] as const)('%s multiplies weights of %i bits without error', (name, weightBits, fast) => {
  const [arch, cpuinfo] = processors[name]
  const processor = { arch, features: featuresIn(`processor\t: 0\n${cpuinfo}\nbugs\t\t:\n`) }
  expect(exactWeightBits(processor)).toBe(weightBits)
  expect(fastInt8Instructions(processor)).toEqual(fast)
})
