/** How this program is started again from where it was: neither a clone nor a package that npx found has a `leadline`. */
export function ownName({ npm_command }: NodeJS.ProcessEnv, file = import.meta.filename): string {
  if (file.endsWith('.ts')) return 'npm run leadline --'
  return npm_command === 'exec' ? 'npx leadline' : 'leadline'
}
