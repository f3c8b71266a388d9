// The URL's parameters, the schema's datasource, and the words for what goes wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { poolConfiguration, readTls, readUrl } from '../src/connection.mjs'
import { readDatasource } from '../src/datasource.mjs'
import { failureOf } from '../src/failures.mjs'

const PLACE = { host: 'h', port: 5432, user: 'u', database: 'd' }
const tls = (query) => readTls(new URLSearchParams(query))

test('a URL gives its parts decoded, and what it leaves out', () => {
  const { parameters, ...address } = readUrl('postgres://a%40b:p%2Fw@[::1]/my%20db')
  assert.deepEqual(address, { host: '::1', port: 5432, user: 'a@b', password: 'p/w', database: 'my db' })
  assert.equal(readUrl('postgresql://u@h/d?host=/run/postgresql').host, '/run/postgresql')
})

test('a URL that cannot be one is refused without being repeated', () => {
  for (const url of ['secret', 'mysql://secret@h/d', 'postgresql://u:secret@h:99999/d', 'postgresql://u:secret@h/d?connect_timeout=x']) {
    assert.throws(() => poolConfiguration(url), (error) => error.code === 'P1013' && !error.message.includes('secret'), url)
  }
})

test('sslmode decides between nothing, encryption, and proof', () => {
  assert.deepEqual(tls('sslmode=disable'), { ssl: false, optional: false })
  assert.deepEqual(tls(''), { ssl: { rejectUnauthorized: false }, optional: true })
  assert.deepEqual(tls('sslmode=require'), { ssl: { rejectUnauthorized: false }, optional: false })
  assert.equal(tls('sslmode=verify-full').ssl.checkServerIdentity, undefined)
  assert.equal(tls('sslmode=verify-full').ssl.rejectUnauthorized, true)
  assert.equal(tls('sslmode=verify-ca').ssl.checkServerIdentity(), undefined)
  assert.equal(tls('sslaccept=strict').optional, false)
})

test('startup asks for UTC, ISO dates, and the schema where it is not public', () => {
  const startup = (query) => poolConfiguration(`postgresql://u:p@h/d?${query}`).config.startup
  assert.deepEqual(startup('schema=public'), { TimeZone: 'UTC', DateStyle: 'ISO' })
  assert.deepEqual(startup('schema=a%22b').search_path, '"a""b"')
})

test('the datasource is read as Prisma reads it', () => {
  const schema = (url) => `// datasource fake {\ndatasource db {\n  provider = "postgresql"\n  url = ${url}\n}\n`
  assert.equal(readDatasource(schema('env("X")'), { env: { X: 'postgresql://x' } }).url, 'postgresql://x')
  assert.equal(readDatasource(schema('"postgresql://literal"')).url, 'postgresql://literal')
  assert.equal(readDatasource(schema('env("X")'), { env: {}, overrides: [{ name: 'db', url: 'o' }] }).url, 'o')
  assert.throws(() => readDatasource(schema('env("X")'), { env: {} }), /Environment variable not found: X/)
  assert.throws(() => readDatasource('model A {'), { code: 'P1012' })
})

test('a driver error becomes the code that Prisma has for it', () => {
  const code = (error) => failureOf(Object.assign(new Error(error.message ?? ''), error), PLACE, { seconds: 1, limit: 2 })?.code
  assert.equal(code({ code: 'ECONNREFUSED' }), 'P1001')
  assert.equal(code({ code: '28P01' }), 'P1000')
  assert.equal(code({ code: '28000' }), 'P1010')
  assert.equal(code({ code: '3D000' }), 'P1003')
  assert.equal(code({ code: '53300' }), 'P2037')
  assert.equal(code({ code: '57P01' }), 'P1017')
  assert.equal(code({ message: 'Connection terminated unexpectedly' }), 'P1017')
  assert.equal(code({ message: 'timeout exceeded when trying to connect' }), 'P2024')
  assert.equal(code({ code: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'P1011')
  assert.equal(code({ code: '22012' }), undefined)
})
