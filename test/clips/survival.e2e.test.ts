import { expect, test } from 'vitest'
import { mp4, temporaryFolder } from '../helpers/clip-files.ts'
import { clipService, kill, outcome, progress, send } from './clip-service.ts'

const shape = { frames: 400, width: 84, height: 56 }

test('clips go on from their last frame when gateway, worker and Redis die, to the bits of an undisturbed run', async () => {
  const { redis, worker, ...service } = await clipService({})
  const folder = await temporaryFolder()
  const gateway = () => service.gateway(folder)
  let [first, second] = [await gateway(), await gateway()]
  let served = await worker()
  const video = await mp4(shape)
  const undisturbed = await outcome(second, await send(first, video), shape.frames)

  const ids = [await send(first, video), await send(first, video), await send(second, video)]
  const [a = '', b = '', c = ''] = ids
  await progress(second, a, 10)
  await kill(first)
  first = await gateway()
  await progress(second, a, 40)
  await kill(served)
  served = await worker()
  await progress(first, b, 20)
  await redis.kill()
  await redis.restart()
  await progress(first, c, 30)
  await kill(second)
  second = await gateway()
  expect(await Promise.all(ids.map((id) => outcome(second, id, shape.frames)))).toEqual([
    undisturbed,
    undisturbed,
    undisturbed
  ])
}, 600_000)
