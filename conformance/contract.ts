import { readFileSync } from 'node:fs'
import Schema from 'typebox/schema'
import { parse } from 'yaml'

/** What a server is held to: the two documents beside the code of Leadline, and none of that code. */
interface Document {
  channels: { stream: { 'x-codes': Record<string, Code> } }
  components: { messages: Record<string, { payload: object }> }
}

export interface Code {
  /** Null: it only fails a frame. */
  close: number | null
  temporary: boolean
  outlived: boolean
}

const page = readFileSync(new URL('../PROTOCOL.md', import.meta.url), 'utf8')
const document = parse(readFileSync(new URL('../asyncapi.yaml', import.meta.url), 'utf8')) as Document

export const codes = document.channels.stream['x-codes']

/** What is wrong with a text message of a server; null: nothing, or its type is not known. */
export function faultOf(message: { type: string }): string | null {
  const schema = document.components.messages[`server.${message.type}`]?.payload
  if (schema === undefined) return null
  const [isRight, errors] = Schema.Errors(schema, message)
  if (isRight) return null
  return `"${message.type}" is not as asyncapi.yaml has it: ${errors[0]?.instancePath} ${errors[0]?.message}`
}

/** The name of every clause of PROTOCOL.md, in the order of the page. */
export function clausesOf(text: string): string[] {
  const [, always = ''] = /\n## Communication[^\n]*\n(.*?)\n## /s.exec(text) ?? []
  const numbered = [...always.matchAll(/^(\d+)\. /gm)].map(([, number]) => `C${number}`)
  return [...numbered, ...[...text.matchAll(/^(?:- )?\[([BMRFEX]\d+)\] /gm)].map(([, name = '']) => name)]
}

export const clauses = clausesOf(page)
