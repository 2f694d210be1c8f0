import { defineEntity, p } from '@mikro-orm/core'

/** An instant, kept to the microsecond and compared in UTC. */
export const instant = () => p.datetime().columnType('timestamptz')

/** A list of short texts. */
export const texts = () => p.array().columnType('text[]')

/** What every row has: an id that sorts by time. Rows name each other by plain ids; the migrations hold the keys. */
export const BaseSchema = defineEntity({
  name: 'Base',
  abstract: true,
  properties: {
    id: p.uuid().primary(),
    createdAt: instant(),
  },
})
