// Reads the one GraphQL operation in a text, as Prisma Client Python writes it: no fragments, variables or directives.
// Source: GraphQL specification (October 2021), "Language", sections "Lexical Tokens" and "Selection Sets".

// An unquoted name that stands for an enum's value; a string of the same letters is something else.
export class EnumValue {
  constructor(name) {
    this.name = name
  }

  toJSON() {
    return this.name
  }
}

const IGNORED = /[\s,\uFEFF]*(?:#[^\n\r]*[\s,]*)*/y
const PUNCTUATION = new Set('{}()[]:')
const PATTERNS = [
  ['string', /"(?:[^"\\\n\r]|\\.)*"/y],
  ['number', /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['name', /[A-Za-z_]\w*/y],
]
// Deeper than any query that a person writes; keeps the reader off the end of its stack.
const MAX_DEPTH = 200

function matchAt(pattern, text, at) {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

export function* tokens(text) {
  let at = matchAt(IGNORED, text, 0).length
  while (at < text.length) {
    const token = PUNCTUATION.has(text[at]) ? { kind: text[at], text: text[at] } : tokenAt(text, at)
    yield { ...token, at }
    at += token.text.length
    at += matchAt(IGNORED, text, at).length
  }
  yield { kind: 'end', text: '', at }
}

function tokenAt(text, at) {
  for (const [kind, pattern] of PATTERNS) {
    const found = matchAt(pattern, text, at)
    if (found) return { kind, text: found }
  }
  throw new SyntaxError(`the query has no token at position ${at}`)
}

const WORDS = { true: true, false: false, null: null }

function numberOf(text) {
  const value = Number(text)
  const whole = !/[.eE]/.test(text)
  // beyond 2^53 a JSON number would be rounded: the JSON protocol has a tag for it
  return whole && !Number.isSafeInteger(value) ? { $type: 'BigInt', value: text } : value
}

class Reader {
  constructor(text) {
    this.source = tokens(text)
    this.depth = 0
    this.advance()
  }

  advance() {
    const passed = this.token
    this.token = this.source.next().value
    return passed
  }

  is(kind) {
    return this.token.kind === kind
  }

  take(kind) {
    if (this.is(kind)) return this.advance()
    throw new SyntaxError(`the query has ${this.token.kind} at position ${this.token.at} where ${kind} was expected`)
  }

  // Prisma Client Python writes the keys inside a list of objects as strings.
  key() {
    return this.is('string') ? JSON.parse(this.take('string').text) : this.take('name').text
  }

  until(close, readOne) {
    if (++this.depth > MAX_DEPTH) throw new SyntaxError(`the query is nested deeper than ${MAX_DEPTH} levels`)
    while (!this.is(close)) readOne()
    this.advance()
    this.depth--
  }

  pairs(open, close) {
    const found = {}
    this.take(open)
    this.until(close, () => {
      const key = this.key()
      this.take(':')
      found[key] = this.value()
    })
    return found
  }

  list() {
    const found = []
    this.take('[')
    this.until(']', () => found.push(this.value()))
    return found
  }

  value() {
    if (this.is('{')) return this.pairs('{', '}')
    if (this.is('[')) return this.list()
    if (this.is('string')) return JSON.parse(this.advance().text)
    if (this.is('number')) return numberOf(this.advance().text)
    const { text } = this.take('name')
    return Object.hasOwn(WORDS, text) ? WORDS[text] : new EnumValue(text)
  }

  arguments() {
    return this.is('(') ? this.pairs('(', ')') : {}
  }

  selection() {
    const found = {}
    if (!this.is('{')) return found
    this.advance()
    this.until('}', () => {
      const name = this.take('name').text
      const [given, selected] = [this.arguments(), this.selection()]
      const plain = Object.keys(given).length === 0 && Object.keys(selected).length === 0
      found[name] = plain ? true : { arguments: given, selection: selected }
    })
    return found
  }

  operation() {
    this.take('name')
    this.take('{')
    const first = this.take('name').text
    const aliased = this.is(':') && Boolean(this.advance())
    const name = aliased ? this.take('name').text : first
    const operation = { alias: first, name, arguments: this.arguments(), selection: this.selection() }
    this.take('}')
    this.take('end')
    return operation
  }
}

// Returns `{alias, name, arguments, selection}`; throws SyntaxError naming the position, never repeating the query.
export function parseOperation(text) {
  return new Reader(text).operation()
}
