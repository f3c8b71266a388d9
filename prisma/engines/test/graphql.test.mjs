// The reader of GraphQL: what it makes of a text, and that no text makes it do anything but read or refuse.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { EnumValue, parseOperation } from '../src/graphql.mjs'

const argumentsOf = (text) => parseOperation(`query { result: findX(${text}) { id } }`).arguments

test('an operation has an alias, a name, arguments and a selection', () => {
  const read = parseOperation('mutation {\n  result: createOneX(data: { name: "a" })\n  { id posts(take: 1) { id } }\n}')
  assert.deepEqual(read, {
    alias: 'result',
    name: 'createOneX',
    arguments: { data: { name: 'a' } },
    selection: { id: true, posts: { arguments: { take: 1 }, selection: { id: true } } },
  })
})

test('each kind of value is read as itself', () => {
  assert.deepEqual(argumentsOf('a: 1, b: -2.5e3, c: "x", d: true, e: null, f: [1, [2]], g: {}'), {
    a: 1, b: -2500, c: 'x', d: true, e: null, f: [1, [2]], g: {},
  })
})

test('a string may hold anything, and is not the enum value of the same letters', () => {
  const text = '{}()[]:, # "quoted" \\ \u2028 🪐'
  assert.equal(argumentsOf(`a: ${JSON.stringify(text)}`).a, text)
  assert.equal(argumentsOf('a: "asc"').a, 'asc')
  assert.ok(argumentsOf('a: asc').a instanceof EnumValue)
  assert.equal(JSON.stringify(argumentsOf('a: asc')), '{"a":"asc"}')
})

test('a whole number beyond 2^53 keeps its digits', () => {
  assert.deepEqual(argumentsOf('a: 9223372036854775807').a, { $type: 'BigInt', value: '9223372036854775807' })
})

test('commas, comments and byte order marks mean nothing', () => {
  assert.deepEqual(argumentsOf('\uFEFF a: 1,,, # a comment }\n b: 2'), { a: 1, b: 2 })
})

test('a name of every object is only a name', () => {
  assert.equal(Object.getPrototypeOf(argumentsOf('constructor: 1, a: toString')), Object.prototype)
  assert.ok(argumentsOf('a: constructor').a instanceof EnumValue)
})

test('what is no operation is refused with its position and without its text', () => {
  for (const text of ['', '{', 'query', 'query { a', 'query { a(b: ) }', 'query { a } secret', 'query { a(b: "x', 'query { a(b: 01) }']) {
    assert.throws(() => parseOperation(text), (error) => error instanceof SyntaxError && !error.message.includes('secret'), text)
  }
})

test('a text nested beyond all measure is refused, not a crash', () => {
  assert.throws(() => parseOperation(`query { a(b: ${'['.repeat(100000)}`), /nested deeper/)
})

test('any cut and any changed byte of a query is read or refused', () => {
  const whole = 'query { result: findX(where: { a: "b", c: [1, {d: null}] }) { id posts(take: 2) { id } } }'
  for (let at = 0; at < whole.length; at++) {
    for (const text of [whole.slice(0, at), `${whole.slice(0, at)}"${whole.slice(at + 1)}`, `${whole.slice(0, at)}}${whole.slice(at)}`]) {
      try { parseOperation(text) } catch (error) { assert.ok(error instanceof SyntaxError, text) }
    }
  }
})
