import type { MailText } from './layout.ts'
import type { Template } from './language.ts'

export interface WorkflowMail {
  organisation: string
  /** In somebody's own words, filled in. */
  subject: string
  body: string
}

const words = ({ subject, body }: WorkflowMail, note: string): MailText => ({
  subject,
  paragraphs: body.split('\n').filter(line => line.trim()),
  notes: [note],
})

/** What an organisation has a workflow write to one of its members. The words are its own, in its own language. */
export const workflowMail: Template<WorkflowMail> = {
  en: mail =>
    words(
      mail,
      `You get this mail because you belong to ${mail.organisation}, which wrote it and has it sent by itself.`,
    ),
  de: mail =>
    words(
      mail,
      `Sie erhalten diese Mail, weil Sie zu ${mail.organisation} gehören. Ihr Text stammt von dort, und sie wird von selbst gesendet.`,
    ),
}
