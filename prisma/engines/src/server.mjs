// The HTTP side of the query engine: the end points that Prisma Client Python asks, each with its answer.
import http from 'node:http'

import { Failure } from './failures.mjs'
import { reply } from './translate.mjs'

// A query with all its parameters; beyond it the answer is 413 and nothing more is read.
const MAX_BODY_BYTES = 256 * 1024 * 1024
// A cuid, as the engine gives out for a transaction.
const SHORTEST_ID = 24
// The native engine's status of each transaction error, told apart by their words only.
const TRANSACTION_STATUS = [
  ['Unable to start a transaction in the given time', 504],
  ['Transaction not found', 404],
  ['Transaction already closed', 422],
]

const errorOf = (error) => ({
  errors: [{
    error: error.message,
    user_facing_error: error instanceof Failure
      ? error.toJSON()
      : { is_panic: true, message: error.message, meta: null, error_code: null },
  }],
})

function transactionReply(answer) {
  if (!answer.error_code) return [200, answer]
  const known = TRANSACTION_STATUS.find(([words]) => answer.message.includes(words))
  return [known?.[1] ?? 500, answer]
}

export class Routes {
  constructor({ engine, translator, metrics }) {
    Object.assign(this, { engine, translator, metrics })
  }

  // Returns `[status, body]`, where a body that is no string is sent as JSON.
  async answer({ method, url, headers, text }) {
    const { pathname, searchParams } = new URL(url, 'http://engine')
    if (pathname === '/status') return this.status()
    if (pathname === '/metrics') return [200, this.metricsAs(searchParams.get('format'))]
    if (method === 'POST' && pathname === '/') return [200, await this.queries(text, headers['x-transaction-id'])]
    const [, root, id, verb] = pathname.split('/')
    if (method !== 'POST' || root !== 'transaction') return [404, {}]
    if (id !== 'start') knownForm(id)
    if (id === 'start') return transactionReply(await this.engine.begin(text ? JSON.parse(text) : {}))
    if (verb === 'commit' || verb === 'rollback') return transactionReply(await this.engine[verb](id))
    return [404, {}]
  }

  // Not ready is answered with the reason: the client asks again until its own time to connect is over.
  async status() {
    await this.engine.ready()
    return [200, { status: 'ok' }]
  }

  metricsAs(format) {
    return format === 'json' ? this.metrics.read() : this.metrics.exposition()
  }

  async queries(text, transaction) {
    const body = parsed(() => JSON.parse(text))
    if (transaction !== undefined) knownForm(transaction)
    if (body.batch === undefined) return this.one(body, transaction)
    const items = body.batch.map(({ query }) => parsed(() => this.translator.request(query)))
    const request = { batch: items.map((item) => item.request) }
    if (body.transaction) request.transaction = body.isolation_level ? { isolationLevel: body.isolation_level } : {}
    const answer = await this.metrics.count(() => this.engine.query(request, transaction))
    return answer.batchResult ? { batchResult: answer.batchResult.map((each, at) => reply(each, items[at])) } : answer
  }

  async one({ query }, transaction) {
    const item = parsed(() => this.translator.request(query))
    return reply(await this.metrics.count(() => this.engine.query(item.request, transaction)), item)
  }
}

// The engine does not survive an id that is shorter than any it gives out.
function knownForm(id) {
  if (id.length < SHORTEST_ID) throw new Failure('P2028', 'Transaction API error: Transaction not found.')
}

// P2009 is Prisma's "failed to validate the query".
function parsed(read) {
  try {
    return read()
  } catch (error) {
    throw error instanceof SyntaxError ? new Failure('P2009', `Failed to validate the query: ${error.message}.`) : error
  }
}

async function readBody(request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

async function handle(routes, request) {
  const text = await readBody(request)
  if (text === undefined) return [413, {}]
  try {
    return await routes.answer({ method: request.method, url: request.url, headers: request.headers, text })
  } catch (error) {
    // an error that is an answer: the client reads its code from a body of status 200
    return [error instanceof Failure ? 200 : 500, errorOf(error)]
  }
}

// Answers on `host:port` until the process ends. Rejects when the port cannot be had.
export function serve(routes, { host, port }) {
  const server = http.createServer(async (request, response) => {
    const [status, body] = await handle(routes, request)
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const type = typeof body === 'string' ? 'text/plain; version=0.0.4' : 'application/json'
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text)
  })
  // Queries may take long, and the client keeps its connections: no limit of ours comes between.
  server.keepAliveTimeout = 0
  server.requestTimeout = 0
  return new Promise((resolve, reject) => server.once('error', reject).listen(port, host, () => resolve(server)))
}
