import { loadNative } from '../../../machine/native-library.ts'

/** Of <sys/prctl.h> and <signal.h>. */
const setParentDeathSignal = 1
const sigKill = 9

/**
 * Have the kernel kill this process when its parent ends, however that ends (prctl(2), PR_SET_PDEATHSIG): a process that is
 * stopped, or deep in native code, notices no closed channel. Elsewhere than on Linux the channel has to do.
 */
export function dieWithParent(): void {
  if (process.platform !== 'linux') return
  const prctl = loadNative(null).func('prctl', 'int', ['int', '...'])
  prctl(setParentDeathSignal, 'ulong', sigKill)
}
