import type { GraphiQLProps } from 'graphiql'

const KEPT = /^graphiql:(theme|visiblePlugin|\w+Flex)$/

/** Remembers theme and layout alone: queries, variables and history hold passwords and tokens, and end with the page. */
export const storage: GraphiQLProps['storage'] = {
  get length() {
    return localStorage.length
  },
  getItem: key => (KEPT.test(key) ? localStorage.getItem(key) : null),
  setItem(key, value) {
    if (KEPT.test(key)) localStorage.setItem(key, value)
  },
  removeItem: key => localStorage.removeItem(key),
  clear() {
    for (const key of Object.keys(localStorage)) if (KEPT.test(key)) localStorage.removeItem(key)
  },
}
