/** What a page says about passwords that it accepts. */
export interface PasswordRule {
  minLength: number
  minCharacterKinds?: number
}

/** Every text of the pages in one language. A language that lacks an entry does not compile. */
export type Words = typeof english

/** English: the model that every other language follows. */
export const english = {
  language: 'en-GB',
  invitation: {
    title: (organisation: string) => `Join ${organisation}`,
    invited: (organisation: string, inviter: string | null) =>
      inviter
        ? `${inviter} invites you to join ${organisation}.`
        : `You are invited to join ${organisation}.`,
    openUntil: (moment: string) => `The invitation is open until ${moment}.`,
    newcomer: 'To accept, tell us your name and choose a password for your new account.',
    owner:
      'This address has an account already. To accept, enter its password. If it has none, sign in to the application and accept there.',
    accept: 'Accept the invitation',
    decline: 'Decline',
    declineQuestion: 'Would you rather not join?',
  },
  fields: {
    email: 'Email address',
    firstName: 'First name',
    lastName: 'Last name',
    newPassword: 'New password',
    password: 'Password',
    code: 'Code',
    codeHint:
      'From your authenticator app, or a recovery code, if you have set up a second factor.',
    challengeHint: 'From your authenticator app, or one of your recovery codes.',
    optional: 'optional',
  },
  passwordRule: ({ minLength, minCharacterKinds = 0 }: PasswordRule) =>
    [
      `At least ${minLength} characters. Several words in a row are easy to remember.`,
      ...(minCharacterKinds > 1
        ? [`Use ${minCharacterKinds} of these: lower case, upper case, digits, other characters.`]
        : []),
    ].join(' '),
  faults: {
    heading: 'Not accepted yet',
    firstNameMissing: 'Enter your first name.',
    nameUnfit: 'Use characters that fit on one line, without hidden ones.',
    nameTooLong: 'Shorten this name.',
    passwordMissing: 'Enter your password.',
    passwordTooShort: ({ minLength }: PasswordRule) =>
      `Choose a password of at least ${minLength} characters.`,
    passwordTooLong: (most: number) => `Choose a password of at most ${most} characters.`,
    passwordTooCommon: 'Choose a password that few others use and that contains no name of yours.',
    passwordUnfit: 'Choose a password that follows the rule of this field.',
    notDone: 'Not done yet',
    codeMissing: 'Enter a code from your authenticator app, or a recovery code.',
    codeWrong: 'This code is wrong, or was used before. Enter the next one.',
    passwordWrong: 'This password is wrong, or the account may not sign in.',
  },
  reset: {
    title: 'Choose a new password',
    text: 'Choose the new password of your account. You will be signed out everywhere.',
    submit: 'Save the new password',
    doneTitle: 'Your password is changed',
    doneText:
      'Sign in with the new password where you usually do. Whoever was signed in to your account no longer is. You can close this page.',
  },
  verify: {
    title: 'Confirm your email address',
    newcomer:
      'Choose the password of your account: the one from your registration, or another. With that, this address is confirmed as yours.',
    owner:
      'An administrator has made this address the login of your account. To confirm that it is yours, enter your password.',
    withoutPassword:
      'Your account has no password. Sign in to the application, and confirm this address there.',
    submit: 'Confirm the address',
    doneTitle: 'Your address is confirmed',
    doneText:
      'Sign in where you registered, with this address and your password. You can close this page.',
  },
  magic: {
    title: 'Sign in',
    text: 'Press the button to sign in, in this browser, with this address.',
    submit: 'Sign in',
    codeTitle: 'Enter a code',
    codeText: 'Your account has a second factor. The code completes the sign-in.',
    doneTitle: 'You are signed in',
    doneText:
      'You are signed in, in this browser. Go back to the application and reload it. If it asks you to sign in nevertheless, it does not share sign-ins with this page: ask for a link there. You can close this page.',
    barredTitle: 'You cannot sign in',
    barredText:
      'This account may not sign in at the moment, or its organisation takes no sign-ins by mailed link. Ask the administrators of your organisation.',
  },
  change: {
    title: 'Move your account to another address',
    text: (from: string) =>
      `Your account ${from} is to get this address. To confirm that, enter your password. From then on you sign in with the new address.`,
    withoutPassword:
      'Your account has no password. Sign in to the application, and confirm the new address there.',
    submit: 'Confirm the new address',
    doneTitle: 'Your account has a new address',
    doneText: 'Sign in with the new address from now on. You can close this page.',
  },
  stop: {
    title: 'Unsubscribe',
    text: 'You will get no more mails about this:',
    submit: 'Unsubscribe',
    doneTitle: 'You have unsubscribed',
    doneText:
      'Mails of this kind are not sent to you any more. You can have them again in the settings of your account. You can close this page.',
    pressButton: 'Nothing was changed. Open the link of the mail, and press the button there.',
    goneTitle: 'This link is not valid',
    goneText:
      'It may be incomplete. Open the link of a newer mail, or choose in the settings of your account what you want to be told of.',
    kinds: {
      SECURITY: 'Sign-ins, passwords and second factors',
      ACCOUNT: 'Your profile and your address',
      MEMBERSHIP: 'Joining and leaving organisations, and your standing there',
      ACCESS: 'Roles, access to projects, and reviews',
      API_KEY: 'API keys and service accounts',
      INTEGRATION: 'Webhooks and workflows',
      PLATFORM: 'Organisations and the rules of the platform',
    },
  },
  accepted: {
    title: 'You have joined',
    text: 'You belong to the organisation now. Sign in where you were told to, with your email address and your password. You can close this page.',
  },
  declined: {
    title: 'You have declined',
    text: 'The invitation is closed and nothing was set up. You can close this page.',
  },
  refusals: {
    gone: {
      title: 'This link no longer works',
      text: 'It may be incomplete, used, replaced, withdrawn or too old. If you have used it already, simply sign in. Otherwise ask for a new one.',
    },
    addressTaken: {
      title: 'This address has an account already',
      text: 'A link that did not arrive by mail cannot take that account over. Ask for a new invitation by mail.',
    },
    barred: {
      title: 'The organisation has locked you out',
      text: 'Nothing was saved. Ask whoever invited you to lift the lock, then open the link you received again.',
    },
    meanwhile: {
      title: 'Something changed in the meantime',
      text: 'Nothing was saved. Open the link you received again.',
    },
    formForeign: {
      title: 'This form is no longer valid',
      text: 'Nothing was saved. Open the link you received again, with cookies allowed, and send the form from there.',
    },
    tooManyAttempts: {
      title: 'Too many attempts',
      text: 'Nothing was saved. You can open the link you received again later.',
    },
    busy: {
      title: 'The server is busy',
      text: 'Nothing was saved. Open the link you received again in a moment.',
    },
    tooLarge: { title: 'That is too much text', text: 'Go back and shorten what you typed.' },
    unreadable: {
      title: 'That could not be read',
      text: 'Open the link you received again.',
    },
    failed: {
      title: 'Something went wrong on our side',
      text: 'Try again later. If it happens again, report it with this number:',
    },
  },
  waitFor: (seconds: number) =>
    seconds < 120
      ? `Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`
      : `Try again in ${Math.ceil(seconds / 60)} minutes.`,
}
