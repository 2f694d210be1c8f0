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
      'Zu dieser Adresse gibt es bereits ein Konto. Um die Einladung anzunehmen, geben Sie dessen Passwort ein. Hat es keines, melden Sie sich in der Anwendung an und nehmen die Einladung dort an.',
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
    code: 'Code',
    codeHint:
      'Aus Ihrer Authenticator-App, oder ein Wiederherstellungscode, falls Sie einen zweiten Faktor eingerichtet haben.',
    challengeHint: 'Aus Ihrer Authenticator-App, oder einer Ihrer Wiederherstellungscodes.',
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
    notDone: 'Noch nicht erledigt',
    codeMissing:
      'Geben Sie einen Code aus Ihrer Authenticator-App oder einen Wiederherstellungscode ein.',
    codeWrong: 'Dieser Code ist falsch oder wurde schon verwendet. Geben Sie den nächsten ein.',
    passwordWrong: 'Dieses Passwort ist falsch, oder das Konto darf sich nicht anmelden.',
  },
  reset: {
    title: 'Neues Passwort wählen',
    text: 'Wählen Sie das neue Passwort Ihres Kontos. Danach sind Sie überall abgemeldet.',
    submit: 'Neues Passwort speichern',
    doneTitle: 'Ihr Passwort ist geändert',
    doneText:
      'Melden Sie sich mit dem neuen Passwort dort an, wo Sie es sonst tun. Wer in Ihrem Konto angemeldet war, ist es nicht mehr. Sie können diese Seite schließen.',
  },
  verify: {
    title: 'E-Mail-Adresse bestätigen',
    newcomer:
      'Wählen Sie das Passwort Ihres Kontos: das von Ihrer Registrierung oder ein anderes. Damit ist bestätigt, dass diese Adresse Ihnen gehört.',
    owner:
      'Die Administration hat diese Adresse zur Anmeldeadresse Ihres Kontos gemacht. Um zu bestätigen, dass sie Ihnen gehört, geben Sie Ihr Passwort ein.',
    withoutPassword:
      'Ihr Konto hat kein Passwort. Melden Sie sich in der Anwendung an, und bestätigen Sie diese Adresse dort.',
    submit: 'Adresse bestätigen',
    doneTitle: 'Ihre Adresse ist bestätigt',
    doneText:
      'Melden Sie sich mit dieser Adresse und Ihrem Passwort dort an, wo Sie sich registriert haben. Sie können diese Seite schließen.',
  },
  magic: {
    title: 'Anmelden',
    text: 'Drücken Sie den Knopf, um sich in diesem Browser mit dieser Adresse anzumelden.',
    submit: 'Anmelden',
    codeTitle: 'Code eingeben',
    codeText: 'Ihr Konto hat einen zweiten Faktor. Mit dem Code ist die Anmeldung vollständig.',
    doneTitle: 'Sie sind angemeldet',
    doneText:
      'Sie sind in diesem Browser angemeldet. Kehren Sie zur Anwendung zurück, und laden Sie sie neu. Fragt sie Sie trotzdem nach einer Anmeldung, dann teilt sie Anmeldungen nicht mit dieser Seite: Fordern Sie dort einen Link an. Sie können diese Seite schließen.',
    barredTitle: 'Sie können sich nicht anmelden',
    barredText:
      'Dieses Konto darf sich zurzeit nicht anmelden, oder seine Organisation lässt keine Anmeldung per Link zu. Fragen Sie die Administration Ihrer Organisation.',
  },
  change: {
    title: 'Konto auf eine andere Adresse umstellen',
    text: from =>
      `Ihr Konto ${from} soll diese Adresse bekommen. Um das zu bestätigen, geben Sie Ihr Passwort ein. Danach melden Sie sich mit der neuen Adresse an.`,
    withoutPassword:
      'Ihr Konto hat kein Passwort. Melden Sie sich in der Anwendung an, und bestätigen Sie die neue Adresse dort.',
    submit: 'Neue Adresse bestätigen',
    doneTitle: 'Ihr Konto hat eine neue Adresse',
    doneText: 'Melden Sie sich künftig mit der neuen Adresse an. Sie können diese Seite schließen.',
  },
  stop: {
    title: 'Mails abbestellen',
    text: 'Sie erhalten keine Mails mehr zu diesem Thema:',
    submit: 'Abbestellen',
    doneTitle: 'Sie haben die Mails abbestellt',
    doneText:
      'Solche Mails werden Ihnen nicht mehr gesendet. In den Einstellungen Ihres Kontos können Sie sie wieder bestellen. Sie können diese Seite schließen.',
    pressButton:
      'Es wurde nichts geändert. Öffnen Sie den Link der Mail, und drücken Sie dort den Knopf.',
    goneTitle: 'Dieser Link gilt nicht',
    goneText:
      'Er ist vielleicht unvollständig. Öffnen Sie den Link einer neueren Mail, oder wählen Sie in den Einstellungen Ihres Kontos, was Ihnen mitgeteilt wird.',
    kinds: {
      SECURITY: 'Anmeldungen, Passwörter und zweite Faktoren',
      ACCOUNT: 'Ihr Profil und Ihre Adresse',
      MEMBERSHIP: 'Beitritt zu Organisationen, Austritt, und Ihre Stellung dort',
      ACCESS: 'Rollen, Zugang zu Projekten, und Überprüfungen',
      API_KEY: 'API-Schlüssel und Dienstkonten',
      INTEGRATION: 'Webhooks und Workflows',
      PLATFORM: 'Organisationen und die Regeln der Plattform',
    },
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
      text: 'Er ist vielleicht unvollständig, verbraucht, ersetzt, zurückgezogen oder zu alt. Haben Sie ihn schon benutzt, dann melden Sie sich einfach an. Sonst fordern Sie einen neuen an.',
    },
    addressTaken: {
      title: 'Zu dieser Adresse gibt es bereits ein Konto',
      text: 'Ein Link, der nicht per Mail kam, kann dieses Konto nicht übernehmen. Bitten Sie um eine neue Einladung per Mail.',
    },
    barred: {
      title: 'Die Organisation hat Sie gesperrt',
      text: 'Es wurde nichts gespeichert. Bitten Sie, wer Sie eingeladen hat, die Sperre aufzuheben, und öffnen Sie dann den Link, den Sie erhalten haben, noch einmal.',
    },
    meanwhile: {
      title: 'Inzwischen hat sich etwas geändert',
      text: 'Es wurde nichts gespeichert. Öffnen Sie den Link, den Sie erhalten haben, noch einmal.',
    },
    formForeign: {
      title: 'Dieses Formular gilt nicht mehr',
      text: 'Es wurde nichts gespeichert. Erlauben Sie Cookies, öffnen Sie den Link, den Sie erhalten haben, noch einmal und senden Sie das Formular von dort.',
    },
    tooManyAttempts: {
      title: 'Zu viele Versuche',
      text: 'Es wurde nichts gespeichert. Sie können den Link, den Sie erhalten haben, später noch einmal öffnen.',
    },
    busy: {
      title: 'Der Server ist ausgelastet',
      text: 'Es wurde nichts gespeichert. Öffnen Sie den Link, den Sie erhalten haben, gleich noch einmal.',
    },
    tooLarge: {
      title: 'Das ist zu viel Text',
      text: 'Gehen Sie zurück, und kürzen Sie Ihre Eingaben.',
    },
    unreadable: {
      title: 'Das war nicht lesbar',
      text: 'Öffnen Sie den Link, den Sie erhalten haben, noch einmal.',
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
