/** The element of the page with this id, which index.html has, as this class. */
export function part<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id)
  if (!(element instanceof kind)) throw new Error(`#${id} is not a ${kind.name} of this page`)
  return element
}

/** Replace the choices of a list; the one chosen stays, if it is still there. */
export function choose(
  select: HTMLSelectElement,
  choices: readonly (readonly [value: string, text: string])[]
): void {
  const before = select.value
  select.replaceChildren(...choices.map(([value, text]) => new Option(text, value)))
  if (choices.some(([value]) => value === before)) select.value = before
}
