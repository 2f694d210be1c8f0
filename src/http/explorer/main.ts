import 'graphiql/setup-workers/vite'
import 'graphiql/style.css'
import { buildSchema } from 'graphql'
import { GraphiQL } from 'graphiql'
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'
import { fetcher } from './fetcher.ts'
import { AUTHORIZATION, operations } from './operations.ts'
import { storage } from './storage.ts'

const place = document.querySelector('#explorer')!

try {
  const response = await fetch('/graphiql/schema.graphql')
  if (!response.ok) throw new Error(`The schema did not load: ${response.status}.`)
  // Handed over ready-made, so that the explorer works where introspection is off.
  const schema = buildSchema(await response.text(), { assumeValidSDL: true })
  createRoot(place).render(
    createElement(
      GraphiQL,
      {
        fetcher,
        schema,
        storage,
        defaultTabs: operations,
        defaultHeaders: AUTHORIZATION,
        // GraphiQL takes the first tab's query from `defaultTabs`, but not what stands below it.
        initialVariables: operations[0]?.variables,
        initialHeaders: operations[0]?.headers ?? '',
        shouldPersistHeaders: false,
        defaultEditorToolsVisibility: 'variables',
      },
      createElement(GraphiQL.Logo, null, 'Gatehouse'),
    ),
  )
} catch (error) {
  place.firstElementChild!.textContent = `The explorer cannot start. ${String(error)}`
}
