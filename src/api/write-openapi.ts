import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { Access } from '../access/index.ts'
import { loadConfig } from '../config.ts'
import { buildApp } from './app.ts'
import { noSessions } from './no-sessions.ts'
import { openapiDocument } from './openapi-document.ts'

/** `npm run openapi`: write openapi.yaml from the route schemas. */
const config = loadConfig({ LEADLINE_PORT: '0' })
const app = await buildApp({
  access: new Access(null),
  config,
  sessions: noSessions,
  log: pino({ level: 'silent' })
})
await writeFile(fileURLToPath(new URL('../../openapi.yaml', import.meta.url)), await openapiDocument(app))
await app.close()
