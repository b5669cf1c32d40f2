import { open, rename, utimes } from 'node:fs/promises'
import { createWriteStream } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { S3mini } from 's3mini'
import { LeadlineError } from '../../errors.ts'
import type { Log } from '../../sessions/index.ts'

export interface BucketOptions {
  /** `https://HOST/BUCKET`, or with a path below which everything lies. */
  url: string
  region: string
  accessKey: string
  secretKey: string
}

export interface BucketObject {
  /** Below the prefix. */
  key: string
  size: number
  changedAt: Date
}

/** Of a part of a large object; S3 wants 5 MiB at least, and 10,000 parts at most. */
const partBytes = 16 * 2 ** 20

/** Objects below a prefix of an S3-compatible bucket. Everything throws STORAGE_UNUSABLE. */
export class Bucket {
  readonly #s3: S3mini
  readonly #prefix: string
  readonly #log: Log

  constructor({ url, region, accessKey, secretKey }: BucketOptions, log: Log) {
    this.#log = log
    const { origin, pathname } = new URL(url)
    const [bucket = '', ...below] = pathname.split('/').filter(Boolean)
    this.#prefix = below.map((part) => `${part}/`).join('')
    this.#s3 = new S3mini({
      ...{ accessKeyId: accessKey, secretAccessKey: secretKey },
      ...{ endpoint: `${origin}/${bucket}`, region }
    })
  }

  /** Throws when it is not there or the keys do not open it. */
  async check(): Promise<void> {
    await this.#ask(async () => {
      if (!(await this.#s3.bucketExists())) throw new Error(`there is no bucket ${this.#s3.bucketName}`)
    })
  }

  async putText(key: string, text: string): Promise<void> {
    await this.#ask(() => this.#s3.putObject(this.#prefix + key, text, 'application/json'))
  }

  /** null: there is no such object. */
  async getText(key: string): Promise<string | null> {
    return this.#ask(() => this.#s3.getObject(this.#prefix + key))
  }

  /** A file of any size, in parts where it is large: memory holds one of them. */
  async putFile(key: string, filePath: string): Promise<void> {
    const file = await open(filePath, 'r')
    try {
      const { size } = await file.stat()
      const read = async (at: number) => {
        const bytes = Buffer.alloc(Math.min(partBytes, size - at))
        await file.read(bytes, 0, bytes.byteLength, at)
        return bytes
      }
      if (size > partBytes) return await this.#putParts(this.#prefix + key, size, read)
      const whole = await read(0)
      await this.#ask(() => this.#s3.putObject(this.#prefix + key, whole))
    } finally {
      await file.close()
    }
  }

  /** With the time of the object, so that a tag made of it is the same everywhere. False: there is no such object. */
  async getFile(key: string, filePath: string): Promise<boolean> {
    const response = await this.#ask(() => this.#s3.getObjectResponse(this.#prefix + key))
    if (!response?.body) return false
    const partPath = `${filePath}.${randomUUID()}.part`
    await pipeline(Readable.fromWeb(response.body as never), createWriteStream(partPath))
    const changedAt = new Date(response.headers.get('last-modified') ?? 0)
    await utimes(partPath, changedAt, changedAt)
    await rename(partPath, filePath)
    return true
  }

  async list(below = ''): Promise<BucketObject[]> {
    const found = await this.#ask(() => this.#s3.listObjects('/', this.#prefix + below))
    return (found ?? []).map(({ Key, Size, LastModified }) => ({
      key: Key.slice(this.#prefix.length),
      ...{ size: Number(Size), changedAt: new Date(LastModified) }
    }))
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#ask(() => this.#s3.deleteObject(this.#prefix + key))
  }

  async #putParts(key: string, size: number, read: (at: number) => Promise<Buffer>): Promise<void> {
    await this.#ask(async () => {
      const upload = await this.#s3.getMultipartUploadId(key)
      try {
        const parts = []
        for (let at = 0; at < size; at += partBytes)
          parts.push(await this.#s3.uploadPart(key, upload, await read(at), parts.length + 1))
        await this.#s3.completeMultipartUpload(key, upload, parts)
      } catch (error) {
        await this.#s3.abortMultipartUpload(key, upload).catch(() => undefined)
        throw error
      }
    })
  }

  async #ask<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (cause) {
      if (cause instanceof LeadlineError) throw cause
      this.#log.error({ err: cause }, 'the bucket for clips cannot be used')
      throw new LeadlineError(
        'STORAGE_UNUSABLE',
        'The server’s bucket for clips cannot be used, its log says why; mend that, or correct LEADLINE_BUCKET_URL',
        { cause }
      )
    }
  }
}
