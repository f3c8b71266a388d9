// The methods that Prisma's command line 5.17 calls, answered by the WASM schema engine of 6.19.
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

import { readDatasource } from './datasource.mjs'
import { Failure } from './failures.mjs'
import { migrationNames, readMigrations, writeMigration } from './migrations.mjs'
import { openFactory } from './schema-adapter.mjs'

const require = createRequire(import.meta.url)
// 6.19 lets a schema leave tables out; 5.17 knows no such thing.
const filters = { externalTables: [], externalEnums: [] }

async function loadEngineClass() {
  const folder = path.dirname(require.resolve('@prisma/schema-engine-wasm'))
  const glue = await import(path.join(folder, 'schema_engine_bg.js'))
  const module = new WebAssembly.Module(fs.readFileSync(path.join(folder, 'schema_engine_bg.wasm')))
  const { exports } = new WebAssembly.Instance(module, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(exports)
  exports.__wbindgen_start()
  return glue.SchemaEngine
}

// The URL that one call is about: one it names itself, or that of its schema. None: the caller falls back.
function urlOf({ schema, datasource, datasourceType, from, to }) {
  const sources = [datasource, datasourceType, from, to, schema].filter(Boolean)
  const urls = sources.filter(({ url }) => url !== undefined).map(({ url }) => url)
  if (new Set(urls).size > 1) {
    throw new Failure('P1012', 'These engines compare one database at a time with a schema or with migrations.')
  }
  if (urls.length > 0) return urls[0]
  const files = sources.flatMap((source) => source.files ?? [])
  const [described] = files.filter(({ content }) => content.includes('datasource'))
  return described && readDatasource(described.content).url
}

export class Calls {
  // `datamodels` are `[path, text]` of the schema files named on the command line; `print` shows text to the person.
  constructor({ datamodels, print }) {
    this.datamodels = datamodels
    this.print = print
  }

  // A call without a URL gets the database of the schema given at start, else the one of the environment.
  defaultUrl() {
    const [described] = this.datamodels.filter(([, text]) => text.includes('datasource'))
    return described ? readDatasource(described[1]).url : process.env.DATABASE_URL
  }

  async engineFor(params) {
    const url = urlOf(params) ?? this.defaultUrl()
    if (this.engine && this.url !== url) throw new Failure('P1012', 'One run of the schema engine speaks to one database.')
    if (this.engine) return this.engine
    if (!url) throw new Failure('P1012', 'Environment variable not found: DATABASE_URL.')
    const onScriptError = (failed) => { this.failed = failed }
    const [SchemaEngine, factory] = await Promise.all([loadEngineClass(), openFactory(url, onScriptError)])
    const datamodels = this.datamodels.length > 0 ? this.datamodels : undefined
    this.url = url
    this.engine = await SchemaEngine.new({ datamodels }, () => {}, factory)
    return this.engine
  }

  async answer(method, params = {}) {
    if (method === 'listMigrationDirectories') return { migrations: migrationNames(params.migrationsDirectoryPath) }
    const engine = await this.engineFor(params)
    this.failed = undefined
    try {
      return await this.ask(engine, method, params)
    } catch (error) {
      throw this.failed ? scriptFailure(this.failed, params.migrationsDirectoryPath) : error
    }
  }

  async ask(engine, method, params) {
    const own = this[`call_${method}`]
    return (own ? await own.call(this, engine, params) : await engine[method](withMigrations(params))) ?? {}
  }

  call_getDatabaseVersion(engine, params) {
    return engine.version(params)
  }

  async call_reset(engine) {
    await engine.reset({ filter: filters })
  }

  async call_diff(engine, params) {
    const defaults = { script: false, shadowDatabaseUrl: null, exitCode: null }
    const sides = { from: sideOf(params.from), to: sideOf(params.to) }
    const { stdout, exitCode } = await engine.diff({ ...defaults, ...params, ...sides, filters })
    this.print(stdout ?? '')
    return { exitCode }
  }

  async call_createMigration(engine, params) {
    return writeMigration(params.migrationsDirectoryPath, await engine.createMigration(withMigrations(params)))
  }
}

function withMigrations(params) {
  const { migrationsDirectoryPath: folder } = params
  return { ...params, filters, ...(folder ? { migrationsList: readMigrations(folder) } : {}) }
}

// Prisma's P3018 and P3006 in one: which migration, and what PostgreSQL said of it.
function scriptFailure({ script, error }, folder) {
  const isIt = ({ migrationFile }) => migrationFile.content.value === script
  const found = folder && readMigrations(folder).migrationDirectories.find(isIt)
  const name = found ? `The migration \`${found.path}\`` : 'A script'
  return new Failure('P3018', `${name} failed to apply. New migrations cannot be applied before the error is recovered from.`
    + `\n\nDatabase error code: ${error.code}\n\nDatabase error:\n${error.severity}: ${error.message}`)
}

// The two kinds of side that 6.19 takes otherwise: a folder by its contents, a URL by a schema that names it.
function sideOf(target) {
  if (target.tag === 'migrations') return { tag: 'migrations', ...readMigrations(path.resolve(target.path)) }
  if (target.tag !== 'url') return target
  const content = `datasource db {\n  provider = "postgresql"\n  url = ${JSON.stringify(target.url)}\n}\n`
  return { tag: 'schemaDatasource', files: [{ path: 'schema.prisma', content }], configDir: process.cwd() }
}
