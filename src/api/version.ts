/** Version of the HTTP interface: what /v1 holds. It rises with the interface, not with the package. */
export const apiVersion = '1.0.0'
