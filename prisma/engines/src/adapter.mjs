// Prisma's own driver adapter for pg, with what its 5.17 release lacks put right.
import { createRequire } from 'node:module'
import pg from 'pg'

import { failureOf } from './failures.mjs'

const require = createRequire(import.meta.url)
const { PrismaPg } = require('adapter-pg-5')
const { bindAdapter } = require('driver-adapter-utils-5')

// Column types the adapter knows no name for, and the one it reads in the same way (object identifiers of pg_type).
// "char" and name are text; a list of timestamptz reads as a list of timestamp, since the connection writes UTC.
const SAME_AS = new Map([[18, 25], [19, 25], [1002, 1009], [1003, 1009], [1185, 1115]])
const CLOSING = new Set(['08000', '08001', '08003', '08004', '08006', '57P01', '57P02', '57P03', '53300'])

// What pg would parse further than the engine wants it: Json stays text, a moment loses the offset, which is UTC's.
const [JSON_LIST, JSONB_LIST, TEXT_LIST, TIMESTAMPTZ_LIST] = [199, 3807, 1009, 1185]
const textList = pg.types.getTypeParser(TEXT_LIST)
const momentList = (text) => textList(text).map((moment) => moment && moment.split('+')[0])
for (const list of [JSON_LIST, JSONB_LIST]) pg.types.setTypeParser(list, textList)
pg.types.setTypeParser(TIMESTAMPTZ_LIST, momentList)

// The driver of one pool: `bound` is what the WASM engine wants, `takeError` gives the driver's error of a number back.
export function bindDriver(pool, { schema, place, pool: limits }) {
  const driver = repaired(new PrismaPg(pool, { schema: schema ?? undefined }))
  const { startTransaction } = driver
  driver.startTransaction = async () => {
    const begun = await startTransaction.call(driver)
    return begun.map(repaired)
  }
  const bound = bindAdapter(driver)
  const takeError = (id) => {
    const error = bound.errorRegistry.consumeError(id)?.error
    // the registry never forgets by itself; an empty place is used again
    delete bound.errorRegistry.registeredErrors[id]
    return error && (failureOf(error, place, limits) ?? error)
  }
  return { bound, takeError }
}

function repaired(queryable) {
  const { performIO } = queryable
  queryable.performIO = async (query) => {
    const result = await performIO.call(queryable, query)
    // the engine has no words for a server that ends the connection: raised, it comes back through `takeError`
    if (!result.ok && CLOSING.has(result.error.code)) throw Object.assign(new Error(result.error.message), result.error)
    if (result.ok) result.value.fields.forEach(renameType)
    return result
  }
  return queryable
}

function renameType(field) {
  field.dataTypeID = SAME_AS.get(field.dataTypeID) ?? field.dataTypeID
}
