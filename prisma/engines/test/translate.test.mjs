// The way from GraphQL to the JSON protocol and back, with types from Prisma's own model of a schema.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readOperations } from '../src/operations.mjs'
import { reply, Translator } from '../src/translate.mjs'

const DATASOURCE = 'datasource db {\n provider = "postgresql"\n url = env("DATABASE_URL")\n}\n'
const MODELS = `
model Moon {
  id Int @id
  extra Json
  many Json[]
  owner Owner @relation(fields: [ownerId], references: [id])
  ownerId Int
}
model Owner {
  id Int @id
  extra String
  moons Moon[]
}
model MoonOrThrow {
  id Int @id
}
`
const translator = new Translator(readOperations(DATASOURCE + MODELS))
const request = (text) => JSON.parse(JSON.stringify(translator.request(text).request))
const json = (value) => ({ $type: 'Json', value })

test('an operation is known by its name in the schema, however that ends', () => {
  const named = (name) => { const { action, modelName } = request(`query { r: ${name} { id } }`); return [action, modelName] }
  assert.deepEqual(named('findUniqueMoonOrThrow'), ['findUnique', 'MoonOrThrow'])
  assert.deepEqual(named('findUniqueMoonOrThrowOrThrow'), ['findUniqueOrThrow', 'MoonOrThrow'])
  assert.deepEqual(named('groupByOwner'), ['groupBy', 'Owner'])
  assert.throws(() => request('query { r: findManyStar { id } }'), /no operation `findManyStar`/)
})

test('only what the schema calls Json is tagged', () => {
  const { query } = request('mutation { r: createOneMoon(data: { id: 1, extra: "1", many: ["2"], owner: { create: { id: 1, extra: "3" } } }) { id } }')
  assert.deepEqual(query.arguments.data, {
    id: 1, extra: json('1'), many: [json('2')], owner: { create: { id: 1, extra: '3' } },
  })
})

test('a Json filter tags values and leaves paths and texts', () => {
  const { query } = request('query { r: findManyMoon(where: { OR: [{ extra: { path: ["a"], equals: "1", string_contains: "b" } }] }) { id } }')
  assert.deepEqual(query.arguments.where.OR, [{ extra: { path: ['a'], equals: json('1'), string_contains: 'b' } }])
})

test('an argument inside a selection is that of the relation', () => {
  const { query } = request('query { r: findManyOwner(where: { extra: "x" }) { id moons(where: { extra: { equals: "1" } }) { id } } }')
  assert.deepEqual(query.arguments.where, { extra: 'x' })
  assert.deepEqual(query.selection.moons.arguments.where, { extra: { equals: json('1') } })
})

test('an answer loses its tags, but for raw ones', () => {
  const answer = () => ({ data: { action: [{ big: { $type: 'BigInt', value: '9' }, list: [{ $type: 'Json', value: '{}' }] }] } })
  assert.deepEqual(reply(answer(), { alias: 'r', request: { action: 'findMany' } }), { data: { r: [{ big: '9', list: ['{}'] }] } })
  assert.deepEqual(reply(answer(), { alias: 'r', request: { action: 'queryRaw' } }).data.r, answer().data.action)
})
