import type { FastifyInstance } from 'fastify'
import type { Node } from '../../graphql/context.ts'
import { changePage } from './change-page.ts'
import { registerInvitationPage } from './invitation-page.ts'
import { registerLinkPage } from './link-page.ts'
import { registerMagicPage } from './magic-page.ts'
import { registerPageErrors } from './page-errors.ts'
import { registerGuard } from './page-guard.ts'
import { registerHeaders } from './page-layout.ts'
import { registerStyle } from './page-style.ts'
import { resetPage } from './reset-page.ts'
import { verifyPage } from './verify-page.ts'

/** The pages where mailed links land. They load nothing from elsewhere and work without scripts. */
export async function registerPages(app: FastifyInstance, node: Node): Promise<void> {
  registerHeaders(app)
  registerPageErrors(app)
  await registerGuard(app, node.server.config)
  registerStyle(app)
  registerInvitationPage(app, node)
  registerMagicPage(app, node)
  for (const page of [resetPage, verifyPage, changePage]) registerLinkPage(app, node, page)
}
