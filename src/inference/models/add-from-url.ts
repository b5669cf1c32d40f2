import path from 'node:path'
import { LeadlineError } from '../../errors.ts'
import { addModel, type AddModelOptions } from './add-model.ts'
import { addressOf, download, type DownloadOptions } from './download/download.ts'
import type { LibraryModel } from './library.ts'
import { newModelDirectory } from './new-model-directory.ts'

/** Where downloads lie until they are models: a folder without a manifest is no model. */
const downloadsFolder = '.downloads'

export type AddFromUrlOptions = Omit<AddModelOptions, 'source'> & Omit<DownloadOptions, 'folder'>

/**
 * Downloads a checkpoint and adds it. What came of a download that broke is kept for the next try; a whole file is
 * removed, whether it became a model or not. Throws REQUEST_INVALID for an address that is none, DOWNLOAD_FAILED, and
 * what `addModel` throws.
 */
export async function addModelFromUrl(url: string, options: AddFromUrlOptions): Promise<LibraryModel> {
  checkUrl(url)
  await newModelDirectory(options.modelsDir, options.name)
  const file = await download(url, { ...options, folder: path.join(options.modelsDir, downloadsFolder) })
  try {
    return await addModel(file.path, { ...options, source: addressOf(url) })
  } finally {
    await file.discard()
  }
}

function checkUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol))
    throw new LeadlineError('REQUEST_INVALID', `${url} is no address to download from; give http://, https:// or a path`)
  if (parsed.username !== '' || parsed.password !== '')
    throw new LeadlineError(
      'REQUEST_INVALID',
      `${parsed.host}: an address cannot hold a password; download the file otherwise and add the path`
    )
}
