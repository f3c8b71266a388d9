// The query engine's program: the command line and environment of Prisma's native one, over its WASM build.
import fs from 'node:fs'
import { parseArgs } from 'node:util'

import { readDatasource } from './datasource.mjs'
import { Engine } from './engine.mjs'
import { Failure } from './failures.mjs'
import { endWithParent } from './lifetime.mjs'
import { Metrics } from './metrics.mjs'
import { readOperations } from './operations.mjs'
import { Routes, serve } from './server.mjs'
import { Translator } from './translate.mjs'

function readDatamodel(env) {
  if (env.PRISMA_DML) return Buffer.from(env.PRISMA_DML, 'base64').toString()
  if (env.PRISMA_DML_PATH) return fs.readFileSync(env.PRISMA_DML_PATH, 'utf8')
  throw new Failure('P1012', 'No schema was given: set PRISMA_DML_PATH or PRISMA_DML.')
}

// The native engine's form of an error: one line of JSON on the standard error output.
function report(error) {
  const failure = error instanceof Failure ? error.toJSON() : { is_panic: true, message: error.message, error_code: null }
  process.stderr.write(`${JSON.stringify(failure)}\n`)
}

function routesFor(env) {
  const datamodel = readDatamodel(env)
  const { url } = readDatasource(datamodel, { env, overrides: JSON.parse(env.OVERWRITE_DATASOURCES || '[]') })
  const logQueries = Boolean(env.LOG_QUERIES)
  const onLog = (line) => { if (logQueries || JSON.parse(line).level === 'ERROR') process.stdout.write(`${line}\n`) }
  const engine = new Engine({ datamodel, url, logQueries, onLog })
  // a first attempt before anybody asks; its reason is told to whoever asks for the status
  engine.ready().catch(() => {})
  return new Routes({ engine, translator: new Translator(readOperations(datamodel)), metrics: new Metrics(engine) })
}

// A schema or URL that cannot work is told to whoever asks: an engine that ended would leave its client guessing.
function routesOrRefusal(env) {
  try {
    return routesFor(env)
  } catch (error) {
    return { answer: () => { throw error } }
  }
}

async function main(env) {
  endWithParent()
  const { values } = parseArgs({
    options: { port: { type: 'string', short: 'p' }, host: { type: 'string', short: 'H' } },
    // the client passes switches of the native engine that mean nothing here
    strict: false,
  })
  await serve(routesOrRefusal(env), { host: values.host ?? '127.0.0.1', port: Number(values.port ?? env.PORT ?? 4466) })
}

main(process.env).catch((error) => {
  report(error)
  process.exit(1)
})
