import { expect, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { mp4 } from '../helpers/clip-files.ts'
import { accepted } from '../helpers/clip-requests.ts'
import { eventually } from '../helpers/eventually.ts'
import { parse } from './parse.ts'

test('a secret is made, webhooks that were given up are listed as JSON lines, and one is sent again', async () => {
  const { app, listen } = await testApp()
  const url = await listen()
  const webhooks = (...args: string[]) => parse(['webhooks', ...args, '--url', url])
  expect(await webhooks()).toMatchObject({ stdout: '', stderr: 'No webhook was given up.\n' })
  expect(await webhooks('secret')).toMatchObject({
    ...{ exitCode: 0, stdout: expect.stringMatching(/^whsec_[\w+/]{43}=\n$/) },
    stderr: expect.stringContaining('24 hours')
  })
  const video = await mp4({ frames: 2, width: 84, height: 56 })
  const { id } = await accepted(app, video, '?results=npz&webhook=http://localhost:1/')
  await eventually(async () => (await webhooks()).stdout).toContain(`"id":"${id}"`)
  expect(await webhooks('resend', id)).toMatchObject({ exitCode: 0, stdout: '' })
  expect(await webhooks('resend', '00000000-0000-4000-8000-000000000000')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('was given up')
  })
})
