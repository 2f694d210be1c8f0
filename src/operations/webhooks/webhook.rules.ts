import { holds, holdsHere, type Rules } from '../../access/rules.ts'

export const webhookRules = {
  Mutation: {
    createWebhook: holds('manageIntegration'),
    updateWebhook: holds('manageIntegration'),
    rotateWebhookSecret: holds('manageIntegration'),
    testWebhook: holds('manageIntegration'),
    retryDelivery: holds('manageIntegration'),
    deleteWebhook: holds('manageIntegration'),
  },
  Organisation: {
    webhook: holdsHere('manageIntegration'),
    webhooks: holdsHere('manageIntegration'),
  },
} satisfies Rules
