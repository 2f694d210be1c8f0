import type { Words } from './words.en.ts'

/** German. */
export const german: Words = {
  language: 'de',
  invitation: {
    title: organisation => `${organisation} beitreten`,
    invited: (organisation, inviter) =>
      inviter
        ? `${inviter} lädt Sie ein, ${organisation} beizutreten.`
        : `Sie sind eingeladen, ${organisation} beizutreten.`,
    openUntil: moment => `Die Einladung gilt bis ${moment}.`,
    newcomer:
      'Um die Einladung anzunehmen, nennen Sie Ihren Namen und wählen Sie ein Passwort für Ihr neues Konto.',
    owner:
      'Zu dieser Adresse gibt es bereits ein Konto. Um die Einladung anzunehmen, geben Sie dessen Passwort ein.',
    accept: 'Einladung annehmen',
    decline: 'Ablehnen',
    declineQuestion: 'Möchten Sie lieber nicht beitreten?',
  },
  fields: {
    email: 'E-Mail-Adresse',
    firstName: 'Vorname',
    lastName: 'Nachname',
    newPassword: 'Neues Passwort',
    password: 'Passwort',
    optional: 'optional',
  },
  passwordRule: ({ minLength, minCharacterKinds = 0 }) =>
    [
      `Mindestens ${minLength} Zeichen. Mehrere Wörter hintereinander merken sich leicht.`,
      ...(minCharacterKinds > 1
        ? [
            `Verwenden Sie ${minCharacterKinds} von diesen: Kleinbuchstaben, Großbuchstaben, Ziffern, andere Zeichen.`,
          ]
        : []),
    ].join(' '),
  faults: {
    heading: 'Noch nicht angenommen',
    firstNameMissing: 'Geben Sie Ihren Vornamen ein.',
    nameUnfit: 'Verwenden Sie Zeichen, die in eine Zeile passen, und keine verborgenen.',
    nameTooLong: 'Kürzen Sie diesen Namen.',
    passwordMissing: 'Geben Sie Ihr Passwort ein.',
    passwordTooShort: ({ minLength }) =>
      `Wählen Sie ein Passwort mit mindestens ${minLength} Zeichen.`,
    passwordTooLong: most => `Wählen Sie ein Passwort mit höchstens ${most} Zeichen.`,
    passwordTooCommon:
      'Wählen Sie ein Passwort, das kaum jemand sonst verwendet und das keinen Ihrer Namen enthält.',
    passwordUnfit: 'Wählen Sie ein Passwort, das der Regel dieses Feldes folgt.',
    passwordWrong: 'Dieses Passwort ist falsch, oder das Konto darf sich nicht anmelden.',
  },
  accepted: {
    title: 'Sie sind beigetreten',
    text: 'Sie gehören jetzt zur Organisation. Melden Sie sich mit Ihrer E-Mail-Adresse und Ihrem Passwort dort an, wo man es Ihnen gesagt hat. Sie können diese Seite schließen.',
  },
  declined: {
    title: 'Sie haben abgelehnt',
    text: 'Die Einladung ist geschlossen, und es wurde nichts eingerichtet. Sie können diese Seite schließen.',
  },
  refusals: {
    gone: {
      title: 'Dieser Link gilt nicht mehr',
      text: 'Er ist vielleicht unvollständig, verbraucht, ersetzt, zurückgezogen oder zu alt. Haben Sie schon angenommen, dann melden Sie sich einfach an. Sonst bitten Sie um eine neue Einladung.',
    },
    addressTaken: {
      title: 'Zu dieser Adresse gibt es bereits ein Konto',
      text: 'Ein Link, der nicht per Mail kam, kann dieses Konto nicht übernehmen. Bitten Sie um eine neue Einladung per Mail.',
    },
    barred: {
      title: 'Die Organisation hat Sie gesperrt',
      text: 'Es wurde nichts gespeichert. Bitten Sie, wer Sie eingeladen hat, die Sperre aufzuheben, und öffnen Sie dann den Link aus Ihrer Einladung noch einmal.',
    },
    meanwhile: {
      title: 'Inzwischen hat sich etwas geändert',
      text: 'Es wurde nichts gespeichert. Öffnen Sie den Link aus Ihrer Einladung noch einmal.',
    },
    formForeign: {
      title: 'Dieses Formular gilt nicht mehr',
      text: 'Es wurde nichts gespeichert. Erlauben Sie Cookies, öffnen Sie den Link aus Ihrer Einladung noch einmal und senden Sie das Formular von dort.',
    },
    tooManyAttempts: {
      title: 'Zu viele Versuche',
      text: 'Es wurde nichts gespeichert. Sie können den Link aus Ihrer Einladung später noch einmal öffnen.',
    },
    busy: {
      title: 'Der Server ist ausgelastet',
      text: 'Es wurde nichts gespeichert. Öffnen Sie den Link aus Ihrer Einladung gleich noch einmal.',
    },
    tooLarge: {
      title: 'Das ist zu viel Text',
      text: 'Gehen Sie zurück, und kürzen Sie Ihre Eingaben.',
    },
    unreadable: {
      title: 'Das war nicht lesbar',
      text: 'Öffnen Sie den Link aus Ihrer Einladung noch einmal.',
    },
    failed: {
      title: 'Bei uns ist etwas schiefgegangen',
      text: 'Versuchen Sie es später noch einmal. Geschieht es wieder, melden Sie es mit dieser Nummer:',
    },
  },
  waitFor: seconds =>
    seconds < 120
      ? `Versuchen Sie es in ${seconds} ${seconds === 1 ? 'Sekunde' : 'Sekunden'} noch einmal.`
      : `Versuchen Sie es in ${Math.ceil(seconds / 60)} Minuten noch einmal.`,
}
