import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'

const STYLE = `:root {
  color-scheme: light dark;
  --ground: #f3f5f8; --sheet: #fff; --text: #1b2330; --quiet: #4d5968; --line: #6f7a89; --edge: #dfe4ea;
  --action: #1d4fbf; --on-action: #fff; --fault: #a81c12; --fault-ground: #fdf1f0; --fixed: #eef1f5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1318; --sheet: #181e26; --text: #e9edf2; --quiet: #b0bac7; --line: #8893a2; --edge: #2b333e;
    --action: #8db6ff; --on-action: #0b1830; --fault: #ffa59c; --fault-ground: #2d1a1b; --fixed: #222a34;
  }
}
*, ::before, ::after { box-sizing: border-box }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100% }
body {
  margin: 0; min-height: 100vh; padding: 1rem; background: var(--ground); color: var(--text);
  font: 1.0625rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; overflow-wrap: anywhere;
}
main {
  max-width: 28rem; margin: 0 auto; padding: 1.5rem; background: var(--sheet);
  border: 1px solid var(--edge); border-radius: .75rem;
}
@media (min-width: 34rem) { body { padding-top: 6vh } main { padding: 2.25rem } }
h1 { margin: 0 0 .75rem; font-size: 1.625rem; line-height: 1.25; text-wrap: balance }
h2 { margin: 0; font-size: 1.0625rem }
p { margin: 0 0 1rem }
.quiet { color: var(--quiet); font-size: 1rem }
main > :last-child, form > :last-child { margin-bottom: 0 }
.field { margin-bottom: 1.25rem }
label { display: block; margin-bottom: .25rem; font-weight: 600 }
label small { color: var(--quiet); font-size: 1rem; font-weight: 400 }
input {
  display: block; width: 100%; min-height: 2.875rem; padding: .5rem .75rem; background: var(--sheet); color: inherit;
  border: 1px solid var(--line); border-radius: .5rem; font: inherit;
}
input[readonly] { background: var(--fixed); border-color: var(--edge) }
.hint, .fault { margin: 0 0 .375rem; font-size: 1rem }
.hint { color: var(--quiet) }
.fault { color: var(--fault); font-weight: 600 }
[aria-invalid=true] { border-color: var(--fault); border-width: 2px }
.faults {
  margin: 0 0 1.5rem; padding: 1rem 1.25rem; background: var(--fault-ground);
  border: 2px solid var(--fault); border-radius: .5rem;
}
.faults h2 { color: var(--fault) }
.faults ul { margin: .25rem 0 0; padding-left: 1.25rem }
.faults a { color: inherit; text-underline-offset: .15em }
button {
  width: 100%; min-height: 2.875rem; padding: .5rem 1rem; border: 1px solid var(--action); border-radius: .5rem;
  background: var(--action); color: var(--on-action); font: inherit; font-weight: 600; cursor: pointer;
}
button.second { background: transparent; color: var(--action) }
.aside { margin-top: 1.75rem; padding-top: 1.25rem; border-top: 1px solid var(--edge) }
.aside p { margin-bottom: .5rem }
:focus-visible, .faults:focus { outline: 3px solid var(--action); outline-offset: 2px }
code { font-size: .9375rem }
`

const HASH = createHash('sha256').update(STYLE).digest('base64url').slice(0, 16)

/** Where the stylesheet is. The name carries a hash of what is inside, so a copy never goes stale. */
export const STYLE_PATH = `/pages/style-${HASH}.css`

/** Serves the stylesheet of the pages: a file of its own, for their policy allows no styles within. */
export function registerStyle(app: FastifyInstance): void {
  app.get(STYLE_PATH, async (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=31536000, immutable')
      .type('text/css; charset=utf-8')
      .send(STYLE),
  )
}
