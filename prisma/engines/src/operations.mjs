// What a schema lets a client ask: operation names and the types of their arguments, from Prisma's own model (DMMF).
import { createRequire } from 'node:module'

const { get_dmmf: getDmmf } = createRequire(import.meta.url)('@prisma/prisma-schema-wasm')

// Returns `{operations, inputs, outputs}`: operation name -> {action, modelName, arguments, output}; input type -> its
// fields; output type -> its relations, each {arguments, output}.
// A field is `{isJson, types}`: whether it takes Json, and which input types its objects may have.
// Only fields that can lead to Json are kept: all others pass through as they are.
export function readOperations(prismaSchema) {
  const { schema, mappings } = JSON.parse(getDmmf(JSON.stringify({ prismaSchema, noColor: true })))
  const inputs = jsonBearing(schema.inputObjectTypes)
  const outputs = new Map(Object.values(schema.outputObjectTypes).flat().map(({ name, fields }) => [
    name, new Map(fields.map((field) => [field.name, outputOf(field, inputs)])),
  ]))
  return { operations: operationsOf(mappings, outputs), inputs, outputs }
}

const outputOf = ({ args, outputType }, inputs) => ({ arguments: fieldsOf(args, inputs), output: outputType.type })

function operationsOf(mappings, outputs) {
  const roots = new Map([...outputs.get('Query'), ...outputs.get('Mutation')])
  const operations = new Map()
  for (const { model, plural, ...names } of mappings.modelOperations) {
    for (const [action, name] of Object.entries(names)) {
      if (roots.has(name)) operations.set(name, { action, modelName: model, ...roots.get(name) })
    }
  }
  return operations
}

const takesJson = ({ inputTypes }) => inputTypes.some(({ type, location }) => location === 'scalar' && type === 'Json')
const objectTypes = ({ inputTypes }) =>
  inputTypes.filter(({ location }) => location === 'inputObjectTypes').map(({ type }) => type)

// The input types from which a Json value can be reached: a fixed point over "has a field of such a type".
function jsonBearing(inputObjectTypes) {
  const all = Object.values(inputObjectTypes).flat()
  const bearing = new Map()
  let before = -1
  while (bearing.size > before) {
    before = bearing.size
    for (const { name, fields } of all) {
      if (fields.some((field) => takesJson(field) || objectTypes(field).some((type) => bearing.has(type)))) {
        bearing.set(name, { names: new Set(fields.map((field) => field.name)), fields: new Map() })
      }
    }
  }
  for (const { name, fields } of all) {
    if (bearing.has(name)) bearing.get(name).fields = fieldsOf(fields, bearing)
  }
  return bearing
}

function fieldsOf(fields, bearing) {
  const kept = fields
    .map((field) => [field.name, { isJson: takesJson(field), types: objectTypes(field).filter((type) => bearing.has(type)) }])
    .filter(([, { isJson, types }]) => isJson || types.length > 0)
  return new Map(kept)
}
