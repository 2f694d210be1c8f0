import { here, holds, type Rules } from '../../access/rules.ts'

export const roleRules = {
  Mutation: {
    createRole: holds('manageRole'),
    updateRole: holds('manageRole'),
    deleteRole: holds('manageRole'),
    createPermission: holds('manageRole'),
    deletePermission: holds('manageRole'),
  },
  Organisation: {
    role: here,
    roles: here,
    permissions: here,
  },
} satisfies Rules
