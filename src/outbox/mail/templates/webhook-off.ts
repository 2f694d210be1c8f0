import { hello, momentIn, type Template } from './language.ts'

export interface WebhookOff {
  organisation: string
  firstName: string
  /** Whom events were posted to, such as `hooks.example.com`. */
  host: string
  /** The receiver said so itself. */
  gone: boolean
  /** ISO 8601. */
  at: string
}

/** Tells whoever made a webhook that it was switched off, for nothing comes through. */
export const webhookOff: Template<WebhookOff> = {
  en: ({ organisation, firstName, host, gone, at }) => ({
    subject: `A webhook of ${organisation} was switched off`,
    greeting: hello.en(firstName),
    paragraphs: [
      gone
        ? `On ${momentIn('en', at)} the webhook to ${host} was switched off: the receiver answered that it is gone for good.`
        : `On ${momentIn('en', at)} the webhook to ${host} was switched off: for three days nothing has come through.`,
      'Events are not posted there any more. Check the receiver, then switch the webhook on again; deliveries that failed can be sent anew from its list.',
    ],
    notes: ['You get this mail because you made the webhook.'],
  }),
  de: ({ organisation, firstName, host, gone, at }) => ({
    subject: `Ein Webhook von ${organisation} wurde abgeschaltet`,
    greeting: hello.de(firstName),
    paragraphs: [
      gone
        ? `Am ${momentIn('de', at)} wurde der Webhook zu ${host} abgeschaltet: Der Empfänger hat geantwortet, dass es ihn nicht mehr gibt.`
        : `Am ${momentIn('de', at)} wurde der Webhook zu ${host} abgeschaltet: Drei Tage lang ist nichts mehr angekommen.`,
      'Ereignisse werden dorthin nicht mehr gesendet. Prüfen Sie den Empfänger und schalten Sie den Webhook dann wieder ein; gescheiterte Zustellungen können Sie aus seiner Liste erneut senden.',
    ],
    notes: ['Sie erhalten diese Mail, weil Sie den Webhook angelegt haben.'],
  }),
}
