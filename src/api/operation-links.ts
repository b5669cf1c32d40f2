/** OpenAPI's links (4.8.20) from what an answer names to what may be done with it: `at` is where in the body its id stands. */
export function linksTo(operationIds: readonly string[], at: string): Record<string, object> {
  return Object.fromEntries(
    operationIds.map((operationId) => [
      operationId,
      { operationId, parameters: { id: `$response.body#${at}` } }
    ])
  )
}
