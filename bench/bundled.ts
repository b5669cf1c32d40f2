import { readFileSync } from 'node:fs'
import type { Manifest } from '../src/manifest.ts'

/** Manifest of the bundled model. */
export const bundled = JSON.parse(
  readFileSync(new URL('../models/leadline-nano/manifest.json', import.meta.url), 'utf8')
) as Manifest
