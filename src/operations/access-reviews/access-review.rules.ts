import { holds, holdsHere, type Rules } from '../../access/rules.ts'

export const accessReviewRules = {
  Mutation: {
    startAccessReview: holds('reviewAccess'),
    decideAccessReviewItems: holds('reviewAccess'),
    completeAccessReview: holds('reviewAccess'),
    cancelAccessReview: holds('reviewAccess'),
  },
  Organisation: {
    accessReview: holdsHere('reviewAccess'),
    accessReviews: holdsHere('reviewAccess'),
  },
} satisfies Rules
