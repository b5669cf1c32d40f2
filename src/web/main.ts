import type { DrawDepthOptions } from '../client/index.ts'
import { part } from './dom.ts'
import { Page } from './page.ts'
import { ClipPanel } from './panels/clip-panel.ts'
import { Server } from './server.ts'
import type { SourceKind } from './sources/source-kind.ts'
import type { ViewName } from './views/stage.ts'

const server = new Server()
const page = new Page(server)
new ClipPanel(server)
const file = part('file', HTMLInputElement)

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-source]')) {
  const kind = button.dataset['source'] as SourceKind
  button.addEventListener('click', () => (kind === 'file' ? file.click() : void page.open(kind)))
}
file.addEventListener('change', () => {
  const [chosen] = file.files ?? []
  if (chosen !== undefined) void page.open('file', chosen)
  file.value = ''
})
part('try-again', HTMLButtonElement).addEventListener('click', () => void page.tryAgain())
part('other-source', HTMLButtonElement).addEventListener('click', () => page.chooseAgain())

for (const radio of document.querySelectorAll<HTMLInputElement>('[name=view]'))
  radio.addEventListener('change', () => void page.setView(radio.value as ViewName))
const colormap = part('colormap', HTMLSelectElement)
colormap.addEventListener('change', () => {
  page.stage.colormap = colormap.value as NonNullable<DrawDepthOptions['colormap']>
})
const lock = part('lock-range', HTMLInputElement)
lock.addEventListener('change', () => (page.stage.range.isLocked = lock.checked))
const fov = part('fov', HTMLInputElement)
fov.addEventListener('input', () => {
  part('fov-value', HTMLOutputElement).value = `${fov.value}°`
  page.stage.fovDegrees = Number(fov.value)
})

void page.greet()
