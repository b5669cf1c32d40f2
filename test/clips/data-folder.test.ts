import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openDataFolder } from '../../src/clips/storage/data-folder.ts'
import { temporaryFolder } from '../helpers/clip-files.ts'

const alone = { redisUrl: null, keyPrefix: 'leadline' }
const at = (dataDir: string) => ({ ...alone, dataDir, stateDir: null, port: 8042 })
const shared = (dataDir: string, keyPrefix = 'leadline') => ({
  ...{ dataDir, stateDir: null, port: 8042 },
  ...{ redisUrl: 'redis://127.0.0.1', keyPrefix }
})

test('a folder has one owner at a time; who else wants it is told who has it and what to set', async () => {
  const folder = await temporaryFolder()
  const held = await openDataFolder(at(folder))
  const refused = openDataFolder(at(folder))
  await expect(refused).rejects.toMatchObject({ code: 'STORAGE_UNUSABLE' })
  const { message } = (await refused.catch((error: unknown) => error)) as Error
  for (const part of [folder, `process ${process.pid} on ${os.hostname()}`, 'another LEADLINE_DATA_DIR'])
    expect(message).toContain(part)
  await held.close()
  await held.close()
  await (await openDataFolder(at(folder))).close()
})

test('a folder is free as soon as its owner is dead, whoever has its process id by then', async () => {
  const folder = await temporaryFolder()
  const module = path.resolve(import.meta.dirname, '../../src/machine/folder-lock.ts')
  const script = `import { lockFolder } from ${JSON.stringify(module)}
    lockFolder(${JSON.stringify(folder)})
    console.log('held')
    setInterval(() => undefined, 1000)`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const owner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void owner.kill('SIGKILL'))
  await once(owner.stdout, 'data')
  await expect(openDataFolder(at(folder))).rejects.toThrow(`process ${owner.pid} on`)
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  // As where a container starts again: the name in the file is that of a process that lives.
  const lock = path.join(folder, 'owner.lock')
  expect(JSON.parse(await readFile(lock, 'utf8'))).toMatchObject({ pid: owner.pid })
  await writeFile(lock, JSON.stringify({ pid: process.pid, host: os.hostname(), since: 'now' }))
  await (await openDataFolder(at(folder))).close()
})

test('gateways of one prefix in Redis share a folder, and know it by one name', async () => {
  const folder = await temporaryFolder()
  const [one, other] = await Promise.all([openDataFolder(shared(folder)), openDataFolder(shared(folder))])
  expect(one.id).toBe(other.id)
  await expect(openDataFolder(at(folder))).rejects.toMatchObject({ code: 'STORAGE_UNUSABLE' })
  await expect(openDataFolder(shared(folder, 'other'))).rejects.toThrow(
    /has the clips of LEADLINE_KEY_PREFIX "leadline"; set another LEADLINE_DATA_DIR/
  )
  await Promise.all([one.close(), other.close()])
  const alone = await openDataFolder(at(folder))
  expect(alone.id).toBe(one.id)
  await expect(openDataFolder(shared(folder))).rejects.toMatchObject({ code: 'STORAGE_UNUSABLE' })
  await alone.close()
})

test('a folder of a server without Redis keeps its name when gateways take it over', async () => {
  const folder = await temporaryFolder()
  const first = await openDataFolder(at(folder))
  await first.close()
  const second = await openDataFolder(shared(folder))
  expect(second.id).toBe(first.id)
  await second.close()
  await expect(openDataFolder(shared(folder, 'other'))).rejects.toMatchObject({ code: 'STORAGE_UNUSABLE' })
})

test('a link in place of the lock is not followed', async () => {
  const folder = await temporaryFolder()
  const precious = path.join(folder, 'precious')
  await writeFile(precious, 'precious')
  await symlink(precious, path.join(folder, 'owner.lock'))
  await expect(openDataFolder(at(folder))).rejects.toMatchObject({ code: 'STORAGE_UNUSABLE' })
  expect(await readFile(precious, 'utf8')).toBe('precious')
})

test('without a setting it is one per user and port, the same one at the next start', async () => {
  const stateDir = await temporaryFolder()
  const open = (port: number) => openDataFolder({ ...alone, dataDir: null, stateDir, port })
  const [first, second] = [await open(8042), await open(8043)]
  expect(first.clipsPath).toBe(path.join(stateDir, 'leadline', '8042', 'clips'))
  expect(second.clipsPath).not.toBe(first.clipsPath)
  await expect(open(8042)).rejects.toThrow('another LEADLINE_PORT, or a LEADLINE_DATA_DIR of its own')
  await Promise.all([first.close(), second.close()])
  const again = await open(8042)
  expect(again.clipsPath).toBe(first.clipsPath)
  await again.close()
})

test('on any free port it is a temporary one of its own, which goes with the server', async () => {
  const open = () => openDataFolder({ ...alone, dataDir: null, stateDir: null, port: 0 })
  const [one, other] = [await open(), await open()]
  expect(one.clipsPath).not.toBe(other.clipsPath)
  await Promise.all([one.close(), other.close()])
  await expect(access(path.dirname(one.clipsPath))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('where the temporary folder cannot be written, the settings that choose another are named', async () => {
  vi.stubEnv('TMPDIR', '/dev/null')
  onTestFinished(() => void vi.unstubAllEnvs())
  const refused = openDataFolder({ ...alone, dataDir: null, stateDir: null, port: 0 })
  await expect(refused).rejects.toMatchObject({
    code: 'STORAGE_UNUSABLE',
    message: expect.stringMatching(
      /\/dev\/null cannot be written: .*ENOTDIR.* set TMPDIR .*LEADLINE_DATA_DIR/
    )
  })
})

test('a user without a home is told what to set', async () => {
  await expect(openDataFolder({ ...alone, dataDir: null, stateDir: null, port: 8042 })).rejects.toMatchObject(
    {
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/no home folder.* set LEADLINE_DATA_DIR/)
    }
  )
})

test.each([
  ['below a file', async (folder: string) => path.join(await fileIn(folder), 'data'), 'ENOTDIR'],
  ['that is a file', (folder: string) => fileIn(folder), /ENOTDIR|EEXIST/],
  ['with a name too long', async (folder: string) => path.join(folder, 'x'.repeat(300)), 'ENAMETOOLONG'],
  ['where nobody may write', async () => '/sys/leadline', /EROFS|EACCES|EPERM/]
])('a data folder %s is refused with the setting and the reason', async (_where, make, reason) => {
  const folder = await make(await temporaryFolder())
  const refused = openDataFolder(at(folder))
  await expect(refused).rejects.toMatchObject({ code: 'STORAGE_UNUSABLE' })
  await expect(refused).rejects.toThrow(reason)
  await expect(refused).rejects.toThrow(`The data folder ${folder} cannot be written`)
  await expect(refused).rejects.toThrow('set LEADLINE_DATA_DIR to another folder')
})

async function fileIn(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const file = path.join(folder, 'file')
  await writeFile(file, '')
  return file
}
