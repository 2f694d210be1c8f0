import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import type { Person } from '../support/people.ts'
import { until } from '../support/waiting.ts'

/** One request that a receiver got. */
export interface Received {
  url: string
  headers: IncomingHttpHeaders
  body: string
}

/** What a receiver answers: a status, or whatever it likes. */
export type Manner = number | ((response: ServerResponse, received: Received) => void)

/** An HTTP server on loopback that webhooks post to, and that can be told to behave badly. */
export class Receiver {
  readonly got: Received[] = []
  manner: Manner = 204
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (piece: string) => (body += piece))
      request.on('end', () => {
        const received = { url: request.url!, headers: request.headers, body }
        this.got.push(received)
        if (typeof this.manner === 'number') response.writeHead(this.manner).end('a secret answer')
        else this.manner(response, received)
      })
    })
  }

  static async open(): Promise<Receiver> {
    const receiver = new Receiver()
    await new Promise<void>(resolve => receiver.#server.listen(0, '127.0.0.1', resolve))
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`
  }

  /** Waits until so many requests have come, and gives back all of them. */
  async received(count: number, patienceMs = 15_000): Promise<Received[]> {
    await until(() => this.got.length >= count, patienceMs)
    return this.got
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }
}

/** The payload, where its signature is good for the secret; throws otherwise. */
export const opened = (secret: string, { body, headers }: Received): any =>
  new Webhook(secret).verify(body, headers as Record<string, string>)

const WEBHOOK = `id url description enabled topics { name } createdAt updatedAt organisation { id } createdBy { id name }`
export const DELIVERY = `id status attempts responseStatus createdAt lastAttemptAt nextAttemptAt topic { name } webhook { id }`

export async function createWebhook(
  by: Person,
  url: string,
  topics: string[],
  more: Record<string, unknown> = {},
): Promise<any> {
  const { createWebhook: made } = await by.ask(
    `mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { ${WEBHOOK} } secret } }`,
    { input: { url, topics, ...more } },
  )
  return { ...made.webhook, secret: made.secret }
}

export const updateWebhook = async (by: Person, id: string, input: object): Promise<any> =>
  (
    await by.ask(
      `mutation ($id: ID!, $input: UpdateWebhookInput!) { updateWebhook(id: $id, input: $input) { webhook { ${WEBHOOK} } } }`,
      { id, input },
    )
  ).updateWebhook.webhook

/** One of the verbs that take an id alone. */
const verb =
  (name: string, selection: string, path: string) =>
  async (by: Person, id: string): Promise<any> =>
    (await by.ask(`mutation ($id: ID!) { ${name}(id: $id) { ${selection} } }`, { id }))[name][path]

export const testWebhook = verb('testWebhook', `webhookDelivery { ${DELIVERY} }`, 'webhookDelivery')
export const retryDelivery = verb(
  'retryDelivery',
  `webhookDelivery { ${DELIVERY} }`,
  'webhookDelivery',
)
export const rotateWebhookSecret = verb('rotateWebhookSecret', 'secret', 'secret')
export const deleteWebhook = verb('deleteWebhook', 'deletedId', 'deletedId')

export const readWebhook = async (by: Person, id: string): Promise<any> =>
  (await by.ask(`query ($id: ID!) { organisation { webhook(id: $id) { ${WEBHOOK} } } }`, { id }))
    .organisation.webhook

export async function deliveriesOf(
  by: Person,
  id: string,
  args: Record<string, unknown> = {},
): Promise<any[]> {
  const { organisation } = await by.ask(
    `query ($id: ID!, $status: DeliveryStatus, $first: Int! = 25) {
      organisation { webhook(id: $id) { deliveries(first: $first, status: $status) { nodes { ${DELIVERY} } } } } }`,
    { id, ...args },
  )
  return organisation.webhook.deliveries.nodes
}

/** Waits until the newest delivery of a webhook stands so. */
export async function settled(by: Person, id: string, status: string, attempts = 1): Promise<any> {
  let newest: any
  await until(async () => {
    ;[newest] = await deliveriesOf(by, id)
    return newest?.status === status && newest.attempts >= attempts
  })
  return newest
}

/** Lets the retries that wait come at once. */
export const hurry = ({ server }: Person): Promise<unknown> =>
  server.database.owner(
    `update pgboss.job set start_after = now() where name = 'webhook-delivery-again' and state in ('created', 'retry')`,
  )

/** An act that leaves an event: the topic is `role.created`. */
export async function act(by: Person): Promise<string> {
  const { createRole } = await by.ask(
    `mutation ($name: String!) { createRole(input: { name: $name, level: ORGANISATION, permissions: [] }) { role { id } } }`,
    { name: `Role ${Math.random()}` },
  )
  return createRole.role.id
}
