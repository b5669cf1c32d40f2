/** What the licence of the project, Apache-2.0, may be shipped with: SPDX identifiers, and no condition but to name the authors. */
const permissive = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT'
]

/** Of packages that a user installs. */
export const shippedLicences: readonly string[] = permissive

/** Of which parts are in the bundle of the page, and so in the package, whatever they are a dependency for. */
export const bundled: readonly string[] = ['fflate', 'three']

/** Of those that only build and test: nothing of them is in the package. */
export const developmentLicences: readonly string[] = [
  ...permissive,
  'CC-BY-3.0',
  'MPL-2.0',
  'Python-2.0',
  'Unlicense'
]

/** Packages whose package.json is silent, by name and version, and where they say it. */
export const saidElsewhere: readonly { name: string; version: string; licence: string }[] = [
  // Readme.md, "License".
  { name: 'combine-errors', version: '3.0.3', licence: 'MIT' }
]

/**
 * Packages that may have one more, because of how they are used. libvips is a library of its own, which is loaded when the
 * program runs and may be replaced by another build of it, as the LGPL wants.
 */
export const exceptions: readonly { name: RegExp; licence: string }[] = [
  { name: /^@img\/sharp-(libvips-|win32-|wasm32$)/, licence: 'LGPL-3.0-or-later' }
]
