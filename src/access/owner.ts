/** The id of the key that a session or a clip was made with; null: it was made where no keys were asked for. */
export type Owner = string | null

/** Whose a session is, and where it was asked for if it is nobody's. */
export interface Opener {
  owner: Owner
  /** As one address counts. */
  address?: string
}
