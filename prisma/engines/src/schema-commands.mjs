// `schema-engine cli ...`: asks and makes databases for the Prisma command line, before any schema is looked at.
import { openPool, poolConfiguration } from './connection.mjs'
import { failureOf } from './failures.mjs'

// Databases in which CREATE DATABASE can be said, in the order of the native engine.
const MAINTENANCE = ['postgres', 'template1']

// Prisma's code, and the SQLSTATE of two that write the catalogue at the same moment.
const CREATED_MEANWHILE = new Set(['P1009', '23505'])

const quoted = (name) => `"${name.replaceAll('"', '""')}"`

const COMMANDS = {
  'can-connect-to-database': async (url) => {
    await run(url, undefined, 'SELECT 1')
    return 'Connection successful'
  },
  'create-database': async (url, name) => {
    // several deployments may start at once: a database that another one has just made is as good
    await runOutside(url, name, `CREATE DATABASE ${quoted(name)}`).catch((error) => {
      if (!CREATED_MEANWHILE.has(error.code)) throw error
    })
    return `Database '${name}' was successfully created.`
  },
  'drop-database': async (url, name) => {
    await runOutside(url, name, `DROP DATABASE IF EXISTS ${quoted(name)}`)
    return 'The database was successfully dropped.'
  },
}

async function runOutside(url, name, sql) {
  const homes = MAINTENANCE.filter((home) => home !== name)
  for (const home of homes) {
    try {
      return await run(url, home, sql)
    } catch (error) {
      if (error.code !== 'P1003' || home === homes.at(-1)) throw error
    }
  }
}

// Runs `sql` in `database`, or in the one that the URL names.
async function run(url, database, sql) {
  const configuration = poolConfiguration(url)
  const config = { ...configuration.config, max: 1, ...(database ? { database } : {}) }
  const place = { ...configuration.place, ...(database ? { database } : {}) }
  try {
    const pool = await openPool({ ...configuration, config })
    await pool.query(sql)
    await pool.end()
  } catch (error) {
    throw failureOf(error, place) ?? error
  }
}

// Writes one line for the outcome, as the native engine does; the exit status is returned.
export async function runCommand(command, url) {
  // the command line drops the first line, where the native engine announces itself
  report('INFO', { message: 'Starting schema engine CLI' })
  try {
    const { place } = poolConfiguration(url)
    report('INFO', { message: await COMMANDS[command](url, place.database) })
    return 0
  } catch (error) {
    report('ERROR', { is_panic: false, message: error.message, meta: error.meta ?? {}, error_code: error.code ?? '' })
    return 1
  }
}

function report(level, fields) {
  const line = { timestamp: new Date().toISOString(), level, fields, target: 'schema_engine::logger' }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}
