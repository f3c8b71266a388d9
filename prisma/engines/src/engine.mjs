// The WASM query engine over one pool of connections: queries, interactive transactions, and whether it is ready.
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

import { bindDriver } from './adapter.mjs'
import { openPool, poolConfiguration } from './connection.mjs'
import { Failure, failureOf } from './failures.mjs'

const require = createRequire(import.meta.url)
// A database that is away is asked again at most this often, however often a client asks for our status.
const RETRY_MILLIS = 500
// Prisma's defaults. Source: Prisma docs, orm/prisma-client/queries/transactions, "Interactive transactions".
const TRANSACTION = { max_wait: 2000, timeout: 5000 }
// The tracing header of the native engine; empty: no trace.
const NO_TRACE = '{}'

async function loadEngineClass() {
  const folder = path.join(path.dirname(require.resolve('@prisma/query-engine-wasm/package.json')), 'postgresql')
  const glue = await import(path.join(folder, 'query_engine_bg.js'))
  const module = new WebAssembly.Module(fs.readFileSync(path.join(folder, 'query_engine_bg.wasm')))
  glue.__wbg_set_wasm(new WebAssembly.Instance(module, { './query_engine_bg.js': glue }).exports)
  return glue.QueryEngine
}

export class Engine {
  // Throws Failure for a URL that cannot be one; connects to nothing yet.
  constructor({ datamodel, url, logQueries, onLog }) {
    this.datamodel = datamodel
    this.configuration = poolConfiguration(url)
    this.logQueries = logQueries
    this.onLog = onLog
    this.attempt = undefined
    this.refusedAt = -Infinity
  }

  // Resolves when the database has answered once; rejects with the reason it did not. Callers share one attempt.
  ready() {
    if (this.refusal && performance.now() - this.refusedAt < RETRY_MILLIS) return Promise.reject(this.refusal)
    this.attempt ??= this.connect().catch((error) => {
      const { place, pool } = this.configuration
      this.refusal = failureOf(error, place, pool) ?? error
      this.refusedAt = performance.now()
      this.attempt = undefined
      throw this.refusal
    })
    return this.attempt
  }

  async connect() {
    const [pool, QueryEngine] = await Promise.all([openPool(this.configuration), loadEngineClass()])
    const { bound, takeError } = bindDriver(pool, this.configuration)
    const logLevel = this.logQueries ? 'info' : 'error'
    const options = { datamodel: this.datamodel, logLevel, logQueries: this.logQueries }
    const wasm = new QueryEngine(options, this.onLog, bound)
    await wasm.connect(NO_TRACE)
    Object.assign(this, { wasm, pool, takeError, refusal: undefined })
  }

  // `request` is one query or batch of the JSON protocol; `transaction` the id of an open one.
  async query(request, transaction) {
    await this.ready()
    const answer = JSON.parse(await this.wasm.query(JSON.stringify(request), NO_TRACE, transaction))
    answer.errors?.forEach((error) => this.explain(error))
    return answer
  }

  // An error thrown inside the driver comes out of the engine as a number (P2036): put its own words back.
  explain(error) {
    const { error_code: code, meta } = error.user_facing_error ?? {}
    if (code !== 'P2036') return
    const cause = this.takeError(meta.id)
    if (cause instanceof Failure) error.user_facing_error = cause.toJSON()
    else error.user_facing_error.message = String(cause?.message ?? cause)
    error.error = error.user_facing_error.message
  }

  async begin(options) {
    await this.ready()
    const wanted = { ...TRANSACTION, ...options }
    const begun = this.wasm.startTransaction(JSON.stringify(wanted), NO_TRACE)
    let timer
    const late = new Promise((resolve) => { timer = setTimeout(resolve, wanted.max_wait) })
    const answer = await Promise.race([begun, late])
    clearTimeout(timer)
    if (answer !== undefined) return this.transactionAnswer(answer)
    // the WASM engine does not hold the wait for a connection to `max_wait`: what comes later is given back
    begun.then((text) => this.rollback(JSON.parse(text).id)).catch(() => {})
    const error = 'Unable to start a transaction in the given time.'
    return { is_panic: false, message: `Transaction API error: ${error}`, meta: { error }, error_code: 'P2028' }
  }

  async commit(id) {
    return this.transactionAnswer(await this.wasm.commitTransaction(id, NO_TRACE))
  }

  async rollback(id) {
    return this.transactionAnswer(await this.wasm.rollbackTransaction(id, NO_TRACE))
  }

  transactionAnswer(text) {
    const answer = JSON.parse(text)
    if (answer.error_code !== 'P2036') return answer
    const cause = this.takeError(answer.meta.id)
    return cause instanceof Failure ? cause.toJSON() : { ...answer, message: String(cause?.message ?? cause) }
  }
}
