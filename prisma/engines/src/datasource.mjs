// Which database a Prisma schema names: read by Prisma's own parser (WASM), never by patterns.
import { createRequire } from 'node:module'

import { Failure } from './failures.mjs'

const { get_config: getConfig } = createRequire(import.meta.url)('@prisma/prisma-schema-wasm')

// Returns `{name, url, shadowDatabaseUrl}` of the one datasource. Throws Failure P1012 for a schema without a usable one.
export function readDatasource(prismaSchema, { env = process.env, overrides = [] } = {}) {
  const parameters = { prismaSchema, datasourceOverrides: {}, ignoreEnvVarErrors: true, env: {} }
  const { config, errors } = JSON.parse(getConfig(JSON.stringify(parameters)))
  if (errors.length > 0) throw new Failure('P1012', errors.map((error) => error.message).join('\n'))
  const [source] = config.datasources
  if (source === undefined) throw new Failure('P1012', 'The schema has no datasource block.')
  if (source.activeProvider !== 'postgresql') {
    throw new Failure('P1012', `These engines speak to PostgreSQL only; the datasource says \`${source.activeProvider}\`.`)
  }
  const override = overrides.find(({ name }) => name === source.name)
  return {
    name: source.name,
    url: override?.url ?? valueOf(source.url, env),
    shadowDatabaseUrl: source.shadowDatabaseUrl && valueOf(source.shadowDatabaseUrl, env),
  }
}

function valueOf({ value, fromEnvVar }, env) {
  if (value !== null) return value
  if (env[fromEnvVar]) return env[fromEnvVar]
  throw new Failure('P1012', `Environment variable not found: ${fromEnvVar}.`)
}
