import { createRequire } from 'node:module'
import type * as Middleware from 'graphql-middleware'
import type * as Shield from 'graphql-shield'

// Their ESM builds call what Node has removed, and one of each kind would not recognise the other: both are loaded
// from CommonJS, here and nowhere else.
const require = createRequire(import.meta.url)

export const { shield, rule, and, allow, deny } = require('graphql-shield') as typeof Shield
export const { applyMiddleware } = require('graphql-middleware') as typeof Middleware

export type Rule = ReturnType<ReturnType<typeof rule>> | ReturnType<typeof and>
