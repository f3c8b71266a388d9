// A failure in Prisma's own terms: its P-code, and one sentence that a person can act on.
// Codes and wording classes: Prisma docs, orm/reference/error-reference, "Error codes". No sentence holds a password.

export class Failure extends Error {
  constructor(code, message, meta = {}) {
    super(message)
    this.code = code
    this.meta = meta
  }

  // The form of Prisma's `user_facing_error`.
  toJSON() {
    return { is_panic: false, message: this.message, meta: this.meta, error_code: this.code }
  }
}

const UNREACHABLE = new Set([
  'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ENOENT', 'EACCES', 'ECONNABORTED',
])
const CLOSED = new Set(['ECONNRESET', 'EPIPE', '57P01', '57P02', '08000', '08003', '08004', '08006'])
const TLS = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|ERR_OSSL)/

const unreachable = ({ host, port }) => new Failure('P1001', `Can't reach database server at \`${host}:${port}\`.`, {
  database_host: host, database_port: port,
})

// SQLSTATEs that end a login. Source: PostgreSQL docs, errcodes-appendix, "PostgreSQL Error Codes".
const REFUSALS = {
  '28P01': ({ host, user }) => new Failure('P1000',
    `Authentication failed against database server at \`${host}\`: the credentials given for \`${user}\` are not valid.`,
    { database_host: host, database_user: user }),
  '28000': ({ database, user }, error) => new Failure('P1010',
    `User \`${user}\` was denied access on the database \`${database}\`: ${error.message}.`,
    { database_user: user, database_name: database }),
  '3D000': ({ host, port, database }) => new Failure('P1003',
    `Database \`${database}\` does not exist on the database server at \`${host}:${port}\`.`, { database_name: database }),
  '42P04': ({ host, port, database }) => new Failure('P1009',
    `Database \`${database}\` already exists on the database server at \`${host}:${port}\`.`, { database_name: database }),
  '53300': (_, error) => new Failure('P2037', `Too many database connections opened: ${error.message}`),
  '57P03': unreachable,
  '08001': unreachable,
}

// What a driver's error means to Prisma, or undefined where the engine itself must judge it.
// `place` is `{host, port, user, database}`; `pool` is `{seconds, limit}` where a pool was asked.
export function failureOf(error, place, pool) {
  if (error instanceof Failure) return error
  const code = error.code ?? error.cause?.code
  if (REFUSALS[code]) return REFUSALS[code](place, error)
  // pg's own words for a password that is missing, or a server that does not know it
  if (/^SASL/.test(error.message)) return REFUSALS['28P01'](place, error)
  if (CLOSED.has(code) || /^Connection terminated|not queryable/.test(error.message)) {
    // pg reports its own connect timeout as a terminated connection with the reason beneath
    if (/timeout/.test(`${error.message} ${error.cause?.message}`)) return unreachable(place)
    return new Failure('P1017', 'Server has closed the connection.')
  }
  if (/^timeout exceeded when trying to connect/.test(error.message) && pool) {
    return new Failure('P2024', 'Timed out fetching a new connection from the connection pool '
      + `(pool timeout: ${pool.seconds} s, connection limit: ${pool.limit}).`,
    { connection_limit: pool.limit, timeout: pool.seconds })
  }
  if (UNREACHABLE.has(code) || /timeout expired/.test(error.message)) return unreachable(place)
  if (TLS.test(String(code)) || /SSL|TLS|certificate/i.test(error.message)) {
    return new Failure('P1011', `Error opening a TLS connection: ${error.message}.`, { message: error.message })
  }
  return undefined
}
