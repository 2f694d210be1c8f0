import { accountOwner, type Rules } from '../../access/rules.ts'

export const avatarRules = {
  Mutation: {
    createAvatarUpload: accountOwner,
    setAvatar: accountOwner,
    removeAvatar: accountOwner,
  },
} satisfies Rules
