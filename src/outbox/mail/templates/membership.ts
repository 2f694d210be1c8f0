import { hello, momentIn, type Template } from './language.ts'

export interface MembershipBarred {
  firstName: string
  organisation: string
  how: 'LOCKED' | 'SUSPENDED' | 'INACTIVE' | 'REMOVED'
  /** Until when, ISO 8601; null for not until told. */
  until: string | null
}

/** Tells a person that an organisation has barred or ended their membership. */
export const membershipBarred: Template<MembershipBarred> = {
  en: ({ firstName, organisation, how, until }) => ({
    subject: {
      LOCKED: `Your membership of ${organisation} was locked`,
      SUSPENDED: `Your membership of ${organisation} was suspended`,
      INACTIVE: `Your membership of ${organisation} was deactivated`,
      REMOVED: `Your membership of ${organisation} has ended`,
    }[how],
    greeting: hello.en(firstName),
    paragraphs: [
      {
        LOCKED: `${organisation} has locked your membership. You cannot sign in there any more, and your API keys there do not work. Sessions that are open go on until they end.`,
        SUSPENDED: until
          ? `${organisation} has suspended your membership until ${momentIn('en', until)}. Until then you cannot enter there, and your API keys there do not work.`
          : `${organisation} has suspended your membership until further notice. You cannot enter there, and your API keys there do not work.`,
        INACTIVE: `${organisation} has deactivated your membership. You cannot enter there, and your API keys there do not work.`,
        REMOVED: `${organisation} has ended your membership. You do not belong to it any more, and your API keys there were revoked.`,
      }[how],
    ],
    notes: [`If this is unexpected, ask the administrators of ${organisation}.`],
  }),
  de: ({ firstName, organisation, how, until }) => ({
    subject: {
      LOCKED: `Ihre Mitgliedschaft bei ${organisation} wurde gesperrt`,
      SUSPENDED: `Ihre Mitgliedschaft bei ${organisation} wurde ausgesetzt`,
      INACTIVE: `Ihre Mitgliedschaft bei ${organisation} wurde stillgelegt`,
      REMOVED: `Ihre Mitgliedschaft bei ${organisation} ist beendet`,
    }[how],
    greeting: hello.de(firstName),
    paragraphs: [
      {
        LOCKED: `${organisation} hat Ihre Mitgliedschaft gesperrt. Sie können sich dort nicht mehr anmelden, und Ihre dortigen API-Schlüssel gelten nicht. Offene Sitzungen laufen weiter, bis sie enden.`,
        SUSPENDED: until
          ? `${organisation} hat Ihre Mitgliedschaft bis ${momentIn('de', until)} ausgesetzt. Bis dahin haben Sie dort keinen Zutritt, und Ihre dortigen API-Schlüssel gelten nicht.`
          : `${organisation} hat Ihre Mitgliedschaft bis auf Weiteres ausgesetzt. Sie haben dort keinen Zutritt, und Ihre dortigen API-Schlüssel gelten nicht.`,
        INACTIVE: `${organisation} hat Ihre Mitgliedschaft stillgelegt. Sie haben dort keinen Zutritt, und Ihre dortigen API-Schlüssel gelten nicht.`,
        REMOVED: `${organisation} hat Ihre Mitgliedschaft beendet. Sie gehören nicht mehr dazu, und Ihre dortigen API-Schlüssel wurden widerrufen.`,
      }[how],
    ],
    notes: [
      `Wenn Sie das nicht erwartet haben, fragen Sie die Administration von ${organisation}.`,
    ],
  }),
}

export interface MembershipReadmitted {
  firstName: string
  organisation: string
  how: 'UNLOCKED' | 'ACTIVATED'
}

/** Tells a person that a lock was lifted, or a membership brought back. */
export const membershipReadmitted: Template<MembershipReadmitted> = {
  en: ({ firstName, organisation, how }) => ({
    subject:
      how === 'UNLOCKED'
        ? `Your membership of ${organisation} was unlocked`
        : `Your membership of ${organisation} is active again`,
    greeting: hello.en(firstName),
    paragraphs: [
      how === 'UNLOCKED'
        ? `${organisation} has lifted the lock of your membership.`
        : `${organisation} has made your membership active again. Sign in anew to enter.`,
    ],
  }),
  de: ({ firstName, organisation, how }) => ({
    subject:
      how === 'UNLOCKED'
        ? `Ihre Mitgliedschaft bei ${organisation} wurde entsperrt`
        : `Ihre Mitgliedschaft bei ${organisation} ist wieder aktiv`,
    greeting: hello.de(firstName),
    paragraphs: [
      how === 'UNLOCKED'
        ? `${organisation} hat die Sperre Ihrer Mitgliedschaft aufgehoben.`
        : `${organisation} hat Ihre Mitgliedschaft wieder aktiviert. Melden Sie sich neu an, um Zutritt zu haben.`,
    ],
  }),
}
