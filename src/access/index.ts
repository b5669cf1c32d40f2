export type { Owner } from './owner.ts'
