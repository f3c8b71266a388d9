// Prisma Client Python speaks GraphQL; the WASM engine speaks only the JSON protocol. This is the way there and back.
import { EnumValue, parseOperation } from './graphql.mjs'

const RAW = new Set(['queryRaw', 'executeRaw'])

export class Translator {
  // The three tables are those that `readOperations` returns.
  constructor({ operations, inputs, outputs }) {
    this.operations = operations
    this.inputs = inputs
    this.outputs = outputs
  }

  // Returns `{alias, request}`; throws SyntaxError for what is no operation of this schema.
  request(text) {
    const { alias, name, arguments: given, selection } = parseOperation(text)
    if (RAW.has(name)) return { alias, request: { action: name, query: { arguments: given, selection: {} } } }
    const operation = this.operations.get(name)
    if (operation === undefined) throw new SyntaxError(`the schema has no operation \`${name}\``)
    const { action, modelName } = operation
    const query = {
      arguments: this.tag(given, operation.arguments),
      selection: this.tagSelection(selection, operation.output),
    }
    return { alias, request: { modelName, action, query } }
  }

  // GraphQL carries a Json value as its text; the JSON protocol would take that text for a Json string.
  tag(given, fields) {
    if (fields.size === 0) return given
    return Object.fromEntries(Object.entries(given).map(([name, value]) => {
      const field = fields.get(name)
      return [name, field ? this.tagValue(value, field) : value]
    }))
  }

  tagValue(value, field) {
    if (Array.isArray(value)) return value.map((item) => this.tagValue(item, field))
    if (typeof value === 'string') return field.isJson ? { $type: 'Json', value } : value
    if (value === null || typeof value !== 'object' || value instanceof EnumValue) return value
    const input = this.inputFor(value, field.types)
    return input ? this.tag(value, input.fields) : value
  }

  // An argument may be of one of several input types (checked, unchecked): the one that knows all its keys.
  inputFor(value, types) {
    const keys = Object.keys(value)
    const candidates = types.map((type) => this.inputs.get(type))
    return candidates.find(({ names }) => keys.every((key) => names.has(key))) ?? candidates[0]
  }

  // A relation inside a selection has arguments of its own, and its `where` may name Json fields.
  tagSelection(selection, output) {
    if (this.inputs.size === 0) return selection
    const fields = this.outputs.get(output)
    return Object.fromEntries(Object.entries(selection).map(([name, part]) => {
      const field = fields?.get(name)
      if (part === true || field === undefined) return [name, part]
      return [name, {
        arguments: this.tag(part.arguments, field.arguments),
        selection: this.tagSelection(part.selection, field.output),
      }]
    }))
  }
}

// The JSON protocol tags what JSON has no type for; GraphQL answers with the bare value. Works in place.
function untag(value) {
  if (Array.isArray(value)) return value.map(untag)
  if (value === null || typeof value !== 'object') return value
  if (typeof value.$type === 'string') return value.value
  for (const key of Object.keys(value)) value[key] = untag(value[key])
  return value
}

// The engine's answer to `request`, as the client of `alias` wants it. Errors pass as they are.
export function reply(answer, { alias, request }) {
  if (!answer.data) return answer
  const [found] = Object.values(answer.data)
  return { data: { [alias]: RAW.has(request.action) ? found : untag(found) } }
}
