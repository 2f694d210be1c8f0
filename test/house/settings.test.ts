import type { z } from 'zod'
import { expect, test } from 'vitest'
import { SETTINGS } from '../../src/shared/config.ts'
import { readText } from './sources.ts'

/** A setting as the README lists it. Where the meaning tells how a default comes about, the column is left empty. */
function row(name: string, setting: z.ZodType): string {
  const { def } = setting as z.ZodDefault
  const meaning = setting.description ?? ''
  const told = def.type !== 'default' || meaning.includes('Default:')
  const cells = [`\`${name}\``, told ? '' : `\`${String(def.defaultValue)}\``, meaning]
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`.replaceAll(
    '|  |',
    '| |',
  )
}

test("the README's table of settings is what the program reads", () => {
  const table = Object.entries(SETTINGS).map(([name, setting]) => row(name, setting))
  const listed = readText('README.md')
    .split('\n')
    .filter(line => /^\| `[A-Z][A-Z0-9_]+` \|/.test(line))
  expect(listed, `The table as it should be:\n\n${table.join('\n')}\n`).toEqual(table)
})

test('every setting says what it is for', () => {
  const silent = Object.entries(SETTINGS).filter(
    ([, setting]) => !setting.description?.endsWith('.'),
  )
  expect(silent.map(([name]) => name)).toEqual([])
})
