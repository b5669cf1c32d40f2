import {
  BufferAttribute,
  BufferGeometry,
  CanvasTexture,
  DataTexture,
  FloatType,
  GLSL3,
  NearestFilter,
  NoColorSpace,
  PerspectiveCamera,
  Points,
  RawShaderMaterial,
  RedFormat,
  Scene,
  Vector2,
  WebGLRenderer
} from 'three'
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js'
import type { ShownDepth, UnprojectOptions } from '../../client/index.ts'
import { distanceRule } from '../../client/index.ts'
import { fragmentShader, vertexShader } from './point-shaders.ts'

/** How far away relative depth begins and ends, in the units of the view. */
const distances = { near: 1, far: 4 } as const
/** What the view turns about, before the camera. */
const pivot = -2
/** Of one press of a key: a turn in radians, and a step nearer. */
const turn = Math.PI / 36
const step = 0.9

/**
 * A depth map as points in space, in the colours of its picture, by the rules of `unproject`. It is seen first from where the
 * camera was; it turns under the mouse, a finger, and the arrow keys. The points are made on the GPU, from the map as a texture.
 */
export class PointCloud {
  readonly #renderer: WebGLRenderer
  readonly #scene = new Scene()
  readonly #camera = new PerspectiveCamera(60, 1, 0.01, 100)
  readonly #controls: OrbitControls
  readonly #picture: CanvasTexture
  readonly #material: RawShaderMaterial
  readonly #points: Points<BufferGeometry, RawShaderMaterial>
  #depth: DataTexture | null = null
  #isDue = false

  /** Draws on `canvas`; `picture` has the colours. Throws where there is no WebGL 2. */
  constructor(canvas: HTMLCanvasElement, picture: HTMLCanvasElement) {
    this.#renderer = new WebGLRenderer({ canvas, antialias: false, preserveDrawingBuffer: true })
    this.#renderer.setClearColor(0x0b0c0d)
    this.#picture = new CanvasTexture(picture)
    this.#picture.flipY = false
    // Left as it is, from the picture to the screen.
    this.#picture.colorSpace = NoColorSpace
    this.#material = new RawShaderMaterial({
      ...{ glslVersion: GLSL3, vertexShader, fragmentShader },
      uniforms: {
        ...{ depth: { value: null }, picture: { value: this.#picture }, size: { value: new Vector2() } },
        ...{ pixel: { value: 0 }, isMetres: { value: false }, rule: { value: new Vector2() } },
        ...{ bounds: { value: new Vector2(distances.near, distances.far) }, pointSize: { value: 1 } }
      }
    })
    this.#points = new Points(new BufferGeometry(), this.#material)
    // Where the points are only the shader knows.
    this.#points.frustumCulled = false
    this.#scene.add(this.#points)
    this.#controls = new OrbitControls(this.#camera, canvas)
    this.#controls.target.set(0, 0, pivot)
    this.#controls.saveState()
    this.#controls.rotateSpeed = 0.5
    this.#controls.addEventListener('change', () => this.#draw())
    canvas.addEventListener('keydown', (event) => this.#onKey(event))
  }

  /** Show another map; `picture` has its colours by now. */
  show(depth: ShownDepth, { fovDegrees = 60, ends }: Pick<UnprojectOptions, 'fovDegrees' | 'ends'>): void {
    const { width, height } = depth.header
    const half = Math.tan((fovDegrees * Math.PI) / 360)
    const rule = distanceRule(depth, { distances, ...(ends === undefined ? {} : { ends }) })
    const { uniforms } = this.#material
    uniforms['depth']!.value = this.#depthTexture(depth)
    uniforms['size']!.value.set(width, height)
    uniforms['pixel']!.value = (2 * half) / width
    uniforms['isMetres']!.value = rule.kind === 'metres'
    if (rule.kind === 'inverse') uniforms['rule']!.value.set(rule.scale, rule.offset)
    this.#picture.needsUpdate = true
    this.#fit(height / width, half)
    this.#draw()
  }

  /** Frees what it holds of the GPU. The canvas is of no use after it. */
  close(): void {
    this.#controls.dispose()
    this.#points.geometry.dispose()
    this.#material.dispose()
    this.#depth?.dispose()
    this.#picture.dispose()
    this.#renderer.dispose()
  }

  #depthTexture(depth: ShownDepth): DataTexture {
    const { width, height } = depth.header
    const values = depth.values() as Float32Array<ArrayBuffer>
    if (this.#depth !== null && this.#depth.image.width === width && this.#depth.image.height === height) {
      this.#depth.image.data = values
    } else {
      this.#depth?.dispose()
      this.#depth = new DataTexture(values, width, height, RedFormat, FloatType)
      this.#depth.minFilter = this.#depth.magFilter = NearestFilter
      this.#points.geometry.dispose()
      this.#points.geometry = new BufferGeometry()
      // Three counts the points by it; the shader goes by their number alone.
      this.#points.geometry.setAttribute(
        'position',
        new BufferAttribute(new Float32Array(width * height * 3), 3)
      )
    }
    this.#depth.needsUpdate = true
    return this.#depth
  }

  /** The whole picture fits, as the camera saw it, whatever the shape of the canvas. */
  #fit(pictureAspect: number, half: number): void {
    const canvas = this.#renderer.domElement
    const { clientWidth: width, clientHeight: height } = canvas
    if (width === 0 || height === 0) return
    this.#renderer.setPixelRatio(window.devicePixelRatio)
    this.#renderer.setSize(width, height, false)
    const aspect = width / height
    this.#camera.aspect = aspect
    this.#camera.fov = (360 / Math.PI) * Math.atan(Math.max(half * pictureAspect, half / aspect))
    this.#camera.updateProjectionMatrix()
    const { uniforms } = this.#material
    uniforms['pointSize']!.value = 1.6 * (canvas.width / uniforms['size']!.value.x)
  }

  /** Soon, and once for however much has changed. */
  #draw(): void {
    if (this.#isDue) return
    this.#isDue = true
    requestAnimationFrame(() => {
      this.#isDue = false
      this.#renderer.render(this.#scene, this.#camera)
    })
  }

  #onKey(event: KeyboardEvent): void {
    const controls = this.#controls
    const actions: Record<string, () => void> = {
      ArrowLeft: () => controls.rotateLeft(turn),
      ArrowRight: () => controls.rotateLeft(-turn),
      ArrowUp: () => controls.rotateUp(turn),
      ArrowDown: () => controls.rotateUp(-turn),
      '+': () => controls.dollyIn(step),
      '-': () => controls.dollyOut(step),
      Home: () => controls.reset()
    }
    const action = actions[event.key]
    if (action === undefined) return
    event.preventDefault()
    action()
    controls.update()
  }
}
