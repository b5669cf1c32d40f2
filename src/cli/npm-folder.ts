/**
 * npm runs the script `leadline` in the folder of its package, wherever it was called from; the paths of a command line are
 * meant from there.
 */
export function leavePackageFolder({ INIT_CWD, npm_lifecycle_event }: NodeJS.ProcessEnv): void {
  if (npm_lifecycle_event === 'leadline' && INIT_CWD !== undefined) process.chdir(INIT_CWD)
}
