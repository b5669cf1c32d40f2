import { RecordingFile } from './recording-file.ts'
import { startRelay } from './relay.ts'

/** Run a client at an address whose messages are recorded. Throws what the client does, STORAGE_FULL, STORAGE_UNUSABLE. */
export async function recorded<T>(
  serverUrl: string,
  path: string,
  run: (url: string) => Promise<T>
): Promise<T> {
  const file = await RecordingFile.create(path)
  try {
    const relay = await startRelay({ url: serverUrl, port: 0, file })
    try {
      return await run(relay.url)
    } finally {
      await relay.close()
    }
  } finally {
    await file.close()
  }
}
