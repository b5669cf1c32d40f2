/** Licences under which the authors of Video Depth Anything give out their checkpoints, by file name. */
const licenses: Readonly<Record<string, string>> = {
  video_depth_anything_vits: 'Apache-2.0',
  video_depth_anything_vitb: 'CC-BY-NC-4.0',
  video_depth_anything_vitl: 'CC-BY-NC-4.0'
}

/** The licence of an official checkpoint; undefined for any other file, whose licence only its owner knows. */
export function officialLicense(fileName: string): string | undefined {
  return Object.hasOwn(licenses, fileName) ? licenses[fileName] : undefined
}
