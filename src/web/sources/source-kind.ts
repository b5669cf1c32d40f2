/** Where a video comes from. */
export type SourceKind = 'camera' | 'screen' | 'file' | 'test'
