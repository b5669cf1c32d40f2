import { expect, test } from 'vitest'
import { makeOutFolder } from '../../src/cli/out-folder.ts'

test('a folder that cannot be made is refused with the option that names another', async () => {
  await expect(makeOutFolder('/dev/null/out')).rejects.toMatchObject({
    code: 'STORAGE_UNUSABLE',
    message: expect.stringMatching(/\/dev\/null\/out cannot be written: .*ENOTDIR.* set --out-dir/) as string
  })
})
