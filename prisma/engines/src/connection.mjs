// From a database URL to connections: every parameter of the URL that these engines honour is read here.
// Sources: Prisma docs, orm/overview/databases/postgresql, "Arguments"; PostgreSQL docs, libpq-connect, "Parameter Key Words".
import fs from 'node:fs'
import os from 'node:os'
import pg from 'pg'

import { Failure } from './failures.mjs'

const SSL_MODES = ['prefer', 'disable', 'require', 'verify-ca', 'verify-full']
// Prisma's defaults, in seconds.
const CONNECT_SECONDS = 5
const POOL_SECONDS = 10

// Reads `text`; throws Failure P1013 for what cannot be a PostgreSQL URL, without repeating the URL.
export function readUrl(text) {
  let url
  try {
    url = new URL(text)
    if (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:') {
      throw new Error('it must start with `postgresql://` or `postgres://`')
    }
    return {
      host: url.searchParams.get('host') ?? (decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '') || 'localhost'),
      port: numberOf(url.searchParams, 'port', Number(url.port || 5432)),
      user: decodeURIComponent(url.username) || os.userInfo().username,
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)) || 'postgres',
      parameters: url.searchParams,
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('P1013', `The provided database string is invalid: ${url ? error.message : 'it is no URL'}.`)
  }
}

function numberOf(parameters, name, missing) {
  const text = parameters.get(name)
  if (text === null) return missing
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0) return value
  throw new Failure('P1013', `The provided database string is invalid: \`${name}\` must be a whole number.`)
}

// The first of `values` is the default.
function oneOf(parameters, name, values) {
  const value = parameters.get(name) ?? values[0]
  if (values.includes(value)) return value
  throw new Failure('P1013', `The provided database string is invalid: \`${name}\` must be one of ${values.join(', ')}.`)
}

// What pg wants as `ssl`, and whether a server without TLS may be used all the same (`prefer`).
// libpq: `require` with a root certificate verifies as `verify-ca` does. Prisma: `sslaccept=strict` verifies everything;
// `sslcert` without `sslkey` is the root certificate; `sslidentity` with `sslpassword` is a PKCS#12 file.
export function readTls(parameters) {
  const mode = oneOf(parameters, 'sslmode', SSL_MODES)
  if (mode === 'disable') return { ssl: false, optional: false }
  const identity = { ...certificates(parameters), ...identityOf(parameters) }
  const strict = parameters.get('sslaccept') === 'strict'
  const verifyAuthority = strict || mode.startsWith('verify-') || (mode === 'require' && parameters.has('sslrootcert'))
  const verifyName = strict || mode === 'verify-full'
  const ssl = { ...identity, rejectUnauthorized: verifyAuthority }
  if (verifyAuthority && !verifyName) ssl.checkServerIdentity = () => undefined
  return { ssl, optional: mode === 'prefer' && !strict }
}

function certificates(parameters) {
  const [key, certificate] = [parameters.get('sslkey'), parameters.get('sslcert')]
  const root = parameters.get('sslrootcert') ?? (key === null ? certificate : null)
  return {
    ...(root !== null && root !== 'system' ? { ca: fileOf('sslrootcert', root) } : {}),
    ...(key !== null ? { key: fileOf('sslkey', key), cert: fileOf('sslcert', certificate) } : {}),
  }
}

function identityOf(parameters) {
  if (!parameters.has('sslidentity')) return {}
  return { pfx: fileOf('sslidentity', parameters.get('sslidentity')), passphrase: parameters.get('sslpassword') ?? '' }
}

function fileOf(parameter, path) {
  try {
    return fs.readFileSync(path)
  } catch (error) {
    throw new Failure('P1011',
      `Error opening a TLS connection: the file that \`${parameter}\` names cannot be read (${error.code}).`)
  }
}

// A connection that asks for what the engines need, in the startup packet, where RESET goes back to it.
class Connection extends pg.Client {
  constructor(config) {
    // the pool hides the password from enumeration
    super({ ...config, password: config.password, connectionTimeoutMillis: config.connectMillis })
    this.startup = config.startup
    // Without a listener, a server that goes away while this connection is in a transaction would end the process.
    this.on('error', () => {})
    if (config.bindChannel) this.demandChannelBinding()
  }

  getStartupConf() {
    return { ...super.getStartupConf(), ...this.startup }
  }

  // pg itself binds the channel where the server offers to; `channel_binding=require` accepts no other login.
  demandChannelBinding() {
    let offered = false
    this.connection.once('authenticationSASL', ({ mechanisms }) => {
      offered = Boolean(this.ssl) && mechanisms.includes('SCRAM-SHA-256-PLUS')
      if (!offered) this.refuseUnbound()
    })
    this.connection.once('authenticationOk', () => offered || this.refuseUnbound())
  }

  refuseUnbound() {
    this.connection.stream.destroy(new Failure('P1011',
      'Error opening a TLS connection: `channel_binding=require` was asked for, and the server offers none.'))
  }
}

// The configuration of pg's Pool for `text`, with `place` (for messages) and `schema` (null: the search path's).
export function poolConfiguration(text) {
  const { parameters, ...address } = readUrl(text)
  const { ssl, optional } = readTls(parameters)
  const channelBinding = oneOf(parameters, 'channel_binding', ['prefer', 'disable', 'require'])
  const schema = parameters.get('schema')
  const limit = numberOf(parameters, 'connection_limit', os.availableParallelism() * 2 + 1)
  const poolSeconds = numberOf(parameters, 'pool_timeout', POOL_SECONDS)
  return {
    place: { host: address.host, port: address.port, user: address.user, database: address.database },
    schema,
    tlsOptional: optional,
    pool: { seconds: poolSeconds, limit },
    config: {
      ...address,
      ssl,
      Client: Connection,
      max: Math.max(1, limit),
      connectionTimeoutMillis: 1000 * poolSeconds,
      connectMillis: 1000 * numberOf(parameters, 'connect_timeout', CONNECT_SECONDS),
      idleTimeoutMillis: 0,
      keepAlive: true,
      application_name: parameters.get('application_name') ?? undefined,
      options: parameters.get('options') ?? undefined,
      enableChannelBinding: channelBinding !== 'disable',
      bindChannel: channelBinding === 'require',
      startup: {
        // The adapter reads timestamptz as text and drops its offset: the server must write UTC, and ISO dates.
        TimeZone: 'UTC',
        DateStyle: 'ISO',
        ...(schema && schema !== 'public' ? { search_path: `"${schema.replaceAll('"', '""')}"` } : {}),
      },
    },
  }
}

// A pool that has answered once, with `ssl` decided; throws what the driver throws.
// `prefer` is decided here, once for the pool: a server that refuses TLS is asked again without.
export async function openPool({ config, tlsOptional }) {
  try {
    return await provenPool(config)
  } catch (error) {
    if (!tlsOptional || !/does not support SSL/.test(error.message)) throw error
    return provenPool({ ...config, ssl: false })
  }
}

async function provenPool(config) {
  const pool = new pg.Pool(config)
  // An idle connection that the server closes is dropped by the pool; the next query opens another.
  pool.on('error', () => {})
  try {
    ;(await pool.connect()).release()
    return pool
  } catch (error) {
    await pool.end()
    throw error
  }
}
