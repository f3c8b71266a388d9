// The schema engine's way to the database: Prisma's adapter factory, with what its 6.19 release lacks put right.
import { createRequire } from 'node:module'

import { openPool, poolConfiguration } from './connection.mjs'
import { failureOf } from './failures.mjs'

const require = createRequire(import.meta.url)
const { PrismaPg } = require('adapter-pg-6')
const { bindMigrationAwareSqlAdapterFactory } = require('driver-adapter-utils-6')

// Object identifiers of pg_type, and the adapter's number for a single character.
const [CHAR, NAME, TEXT] = [18, 19, 25]
const CHARACTER = 6

// One connection: Prisma's advisory lock belongs to a session, so all statements must go through the one that holds it.
// `onScriptError` is told `{script, error}` of a migration that failed: the engine keeps little of PostgreSQL's own words.
export async function openFactory(url, onScriptError) {
  const configuration = poolConfiguration(url)
  const { config, schema, place } = configuration
  const single = { ...config, max: 1, connectionTimeoutMillis: 0 }
  const pool = await openPool({ ...configuration, config: single }).catch((error) => {
    throw failureOf(error, place) ?? error
  })
  const options = { schema: schema ?? undefined }
  const factory = new PrismaPg(pool, options)
  const connect = factory.connect.bind(factory)
  factory.connect = async () => repaired(await connect(), onScriptError)
  factory.connectToShadowDb = () => openShadow(factory, { ...single, ssl: pool.options.ssl }, options, onScriptError)
  return bindMigrationAwareSqlAdapterFactory(factory)
}

// The adapter's own drops the shadow database before it closes its connections to it, and forgets the schema.
async function openShadow(factory, config, options, onScriptError) {
  const owner = await factory.connect()
  const database = `prisma_migrate_shadow_db_${crypto.randomUUID()}`
  await owner.executeScript(`CREATE DATABASE "${database}"`)
  const shadow = repaired(await new PrismaPg({ ...config, database }, options).connect(), onScriptError)
  const dispose = shadow.dispose.bind(shadow)
  shadow.dispose = async () => {
    await dispose()
    await owner.executeScript(`DROP DATABASE "${database}" WITH (FORCE)`)
  }
  return shadow
}

function repaired(adapter, onScriptError) {
  // the adapter cuts a script at each semicolon, also inside a function's body: PostgreSQL reads a whole one itself
  adapter.executeScript = async (script) => {
    await adapter.underlyingDriver().query(script).catch((error) => {
      onScriptError({ script, error })
      adapter.onError(error)
    })
  }
  // it has no column type for the catalogue's "char" and name
  let types = []
  const performIO = adapter.performIO.bind(adapter)
  adapter.performIO = async (query) => {
    const result = await performIO(query)
    types = (result.fields ?? []).map((field) => field.dataTypeID)
    for (const field of result.fields ?? []) if ([CHAR, NAME].includes(field.dataTypeID)) field.dataTypeID = TEXT
    return result
  }
  const queryRaw = adapter.queryRaw.bind(adapter)
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query)
    result.columnTypes = result.columnTypes.map((type, at) => (types[at] === CHAR ? CHARACTER : type))
    return result
  }
  return adapter
}
