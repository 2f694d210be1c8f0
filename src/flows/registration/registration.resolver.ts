import { Arg, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql'
import { inSession } from '../../access/viewer.ts'
import { readName } from '../../accounts/users/user.service.ts'
import { reserveMail } from '../../credentials/links/mail-limit.ts'
import { readPasswordRules } from '../../credentials/passwords/password-rules.service.ts'
import { mustBeAcceptable } from '../../credentials/passwords/password.service.ts'
import { SYSTEM } from '../../database/context.ts'
import type { Context } from '../../graphql/context.ts'
import { AppError, badInput, notFound } from '../../shared/errors.ts'
import { Acknowledgement } from '../../shared/payloads.type.ts'
import { ProjectAccessPayload } from '../../tenancy/projects/project.type.ts'
import { findOpenProject, mustBeWelcome } from './open-project.ts'
import { joinProject, signUp } from './registration.service.ts'
import { SignInOptions, SignUpInput } from './registration.type.ts'
import { readSignInOptions } from './sign-in-options.ts'

@Resolver()
export class RegistrationResolver {
  @Query(() => SignInOptions, {
    nullable: true,
    description: 'What a sign-in or sign-up page needs before anyone has signed in.',
  })
  signInOptions(
    @Ctx() { read }: Context,
    @Arg('projectId', () => ID, {
      nullable: true,
      description: "The project whose page it is. An unknown id gets the platform's defaults.",
    })
    projectId?: string | null,
  ): Promise<SignInOptions> {
    return readSignInOptions(read(SYSTEM), projectId ?? null)
  }

  @Mutation(() => Acknowledgement, {
    nullable: true,
    description:
      'Register where the project allows it. The answer is the same for taken addresses. Public.',
  })
  async signUp(
    @Arg('input', () => SignUpInput) input: SignUpInput,
    @Ctx() context: Context,
  ): Promise<Acknowledgement> {
    await context.close() // the reads of earlier fields: on PGlite they hold the only connection
    const { system, now, request, node } = context
    const { email, password = null } = input
    const names = readName(input, ['input'])
    const project = await findOpenProject(system, input.projectId)
    if (!project) throw notFound('project')
    mustBeWelcome(project, email)
    if (password == null && !project.signInMethods.includes('MAGIC_LINK'))
      throw badInput(['input', 'password'], 'REQUIRED', 'Choose a password to sign in with.')
    const about = [email, names.firstName, names.lastName]
    const { organisationId } = project
    const rules = await readPasswordRules(system, { organisationId, about })
    if (password != null) mustBeAcceptable(password, rules, ['input', 'password'])
    await reserveMail(system, email, request.ipAddress, now)
    const passwordHash = password == null ? null : await node.hasher.hash(password)
    const register = () =>
      context.asSystem(work => signUp(work, project, { ...names, email, passwordHash }))
    // somebody registered the address in between: then it is a taken one
    await register().catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'CONFLICT') return register()
      throw error
    })
    return { email }
  }

  @Mutation(() => ProjectAccessPayload, {
    nullable: true,
    description:
      'Register the account in use with a further project, where that project allows it. Sessions only.',
  })
  async joinProject(
    @Arg('id', () => ID) id: string,
    @Ctx() { viewer, asSystem }: Context,
  ): Promise<ProjectAccessPayload> {
    const person = inSession(viewer)
    return { projectAccess: await asSystem(work => joinProject(work, person, id)) }
  }
}
