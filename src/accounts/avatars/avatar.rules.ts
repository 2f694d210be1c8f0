import { signedIn, type Rules } from '../../access/rules.ts'

export const avatarRules = {
  Mutation: { createAvatarUpload: signedIn, setAvatar: signedIn, removeAvatar: signedIn },
} satisfies Rules
