import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { asyncapiDocument } from './stream/asyncapi-document.ts'

/** `npm run asyncapi`: write asyncapi.yaml from the schemas of the messages. */
await writeFile(fileURLToPath(new URL('../../asyncapi.yaml', import.meta.url)), asyncapiDocument())
