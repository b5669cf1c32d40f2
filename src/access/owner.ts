/** The id of the key that a session or a clip was made with; null: it was made where no keys were asked for. */
export type Owner = string | null
