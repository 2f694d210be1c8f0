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
    owner: 'This address has an account already. To accept, enter its password.',
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
    passwordWrong: 'This password is wrong, or the account may not sign in.',
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
      text: 'It may be incomplete, used, replaced, withdrawn or too old. If you have accepted already, simply sign in. Otherwise ask for a new invitation.',
    },
    addressTaken: {
      title: 'This address has an account already',
      text: 'A link that did not arrive by mail cannot take that account over. Ask for a new invitation by mail.',
    },
    barred: {
      title: 'The organisation has locked you out',
      text: 'Nothing was saved. Ask whoever invited you to lift the lock, then open the link from your invitation again.',
    },
    meanwhile: {
      title: 'Something changed in the meantime',
      text: 'Nothing was saved. Open the link from your invitation again.',
    },
    formForeign: {
      title: 'This form is no longer valid',
      text: 'Nothing was saved. Open the link from your invitation again, with cookies allowed, and send the form from there.',
    },
    tooManyAttempts: {
      title: 'Too many attempts',
      text: 'Nothing was saved. You can open the link from your invitation again later.',
    },
    busy: {
      title: 'The server is busy',
      text: 'Nothing was saved. Open the link from your invitation again in a moment.',
    },
    tooLarge: { title: 'That is too much text', text: 'Go back and shorten what you typed.' },
    unreadable: {
      title: 'That could not be read',
      text: 'Open the link from your invitation again.',
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
