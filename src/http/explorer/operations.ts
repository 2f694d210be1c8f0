/** One tab of the explorer. */
export interface ExampleOperation {
  query: string
  /** JSON, as typed into the variables editor. */
  variables?: string
  /** JSON, as typed into the headers editor. */
  headers?: string
}

/** What the headers editor of a new tab holds: left so, the newest access token of the page goes along. */
export const AUTHORIZATION = json({ Authorization: 'Bearer ' })

/** The tabs a visitor starts with: from signing in, through a day's work, to signing out. */
export const operations: ExampleOperation[] = [
  {
    query: `# Next: the other tabs. Where Headers hold no token, the newest access token is sent.
mutation SignIn($email: EmailAddress!, $password: String!) {
  signIn(input: { email: $email, password: $password }) {
    ... on Authenticated {
      accessToken
      accessTokenExpiresAt
      refreshToken
      session {
        member {
          organisation {
            name
          }
        }
      }
    }
    ... on MfaChallenge {
      token
      methods
    }
  }
}`,
    variables: json({ email: 'operator@localhost.test', password: '' }),
  },
  {
    query: `# Who am I, what may I do, where else do I belong?
query Start {
  viewer {
    principal {
      name
      role {
        name
      }
    }
    organisation {
      name
    }
    permissions {
      name
    }
  }
  me {
    name
    memberships {
      nodes {
        status
        role {
          name
        }
        organisation {
          id
          name
        }
      }
    }
  }
}`,
    headers: AUTHORIZATION,
  },
  {
    query: `# Who is here? By word beginnings: "search": "ann".
query Members($search: String, $after: String) {
  organisation {
    members(first: 50, after: $after, search: $search, filter: { status: [ACTIVE, INVITED] }) {
      totalCount
      nodes {
        id
        name
        email
        status
        role {
          name
        }
        lastActiveAt
        viewerCanManage
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}`,
    variables: json({ search: null, after: null }),
    headers: AUTHORIZATION,
  },
  {
    query: `# A place for the people of the next tabs.
mutation OpenProject($name: String!) {
  createProject(input: { name: $name }) {
    project {
      id
      slug
    }
  }
}`,
    variables: json({ name: 'Payroll' }),
    headers: AUTHORIZATION,
  },
  {
    query: `# The roles and projects there are.
query Choices {
  organisation {
    roles(first: 100) {
      nodes {
        id
        name
        level
      }
    }
    projects(first: 100) {
      nodes {
        id
        name
      }
    }
  }
}`,
    headers: AUTHORIZATION,
  },
  {
    query: `# Choices has the ids: role on level ORGANISATION, projectRole on level PROJECT.
mutation AddAnn($role: ID!, $project: ID!, $projectRole: ID!) {
  addMember(
    input: {
      email: "ann@example.com"
      firstName: "Ann"
      lastName: "Lee"
      roleId: $role
      projectAccess: [{ projectId: $project, roleId: $projectRole }]
    }
  ) {
    member {
      id
      invitation {
        status
        expiresAt
      }
    }
  }
}`,
    variables: json({ role: '', project: '', projectRole: '' }),
    headers: AUTHORIZATION,
  },
  {
    query: `# Choices has the ids. Whoever accepts an invitation sets it off.
mutation Welcome($project: ID!, $projectRole: ID!) {
  createWorkflow(
    input: {
      name: "Welcome"
      trigger: "member.joined"
      steps: [
        {
          sendEmail: {
            subject: "Welcome to {{organisation}}, {{firstName}}"
            body: "Good that you are here."
          }
        }
        { grantProjectAccess: { projectId: $project, roleId: $projectRole } }
        { wait: { minutes: 1440 } }
        { sendEmail: { subject: "Your first day", body: "Is there anything that you miss?" } }
      ]
    }
  ) {
    workflow {
      id
    }
  }
}`,
    variables: json({ project: '', projectRole: '' }),
    headers: AUTHORIZATION,
  },
  {
    query: `# Members has the id. Both fields run, in this order.
mutation Contain($id: ID!) {
  lockMember(id: $id, reason: "lost laptop") {
    member {
      lockedAt
    }
  }
  revokeMemberSessions(id: $id) {
    count
  }
}`,
    variables: json({ id: '' }),
    headers: AUTHORIZATION,
  },
  {
    query: `# Start has the id. From here on the new access token is sent; Refresh takes the new refreshToken.
mutation Switch($id: ID!) {
  switchOrganisation(id: $id) {
    accessToken
    refreshToken
    session {
      member {
        organisation {
          name
        }
        role {
          name
        }
      }
    }
  }
}`,
    variables: json({ id: '' }),
    headers: AUTHORIZATION,
  },
  {
    query: `# No Authorization here: it may be stale by now.
mutation Refresh($refreshToken: String!) {
  refreshSession(input: { refreshToken: $refreshToken }) {
    accessToken
    accessTokenExpiresAt
    refreshToken
  }
}`,
    variables: json({ refreshToken: '' }),
  },
  {
    query: `mutation SignOut {
  signOut {
    session {
      endedAt
    }
  }
}`,
    headers: AUTHORIZATION,
  },
]

function json(value: object): string {
  return JSON.stringify(value, null, 2)
}
