// The schema engine's program: JSON-RPC 2.0 on standard input and output, one call at a time, or one `cli` command.
import fs from 'node:fs'
import readline from 'node:readline'
import { parseArgs } from 'node:util'

import { endWithParent } from './lifetime.mjs'
import { Calls } from './schema-calls.mjs'
import { runCommand } from './schema-commands.mjs'

// The native engine's code for an error whose meaning stands in its data.
const KNOWN_ERROR = 4466

// The WASM engine leaves the message of a panic here. The name and both methods are its own.
const panic = {
  message: '',
  get() { return this.message },
  set_message(message) { this.message = message },
}
globalThis.PRISMA_WASM_PANIC_REGISTRY = panic

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

async function answer(calls, { id, method, params }) {
  try {
    send({ id, result: await calls.answer(method, params) })
  } catch (error) {
    const data = {
      is_panic: panic.message !== '',
      message: panic.message || error.message || String(error),
      meta: error.meta ?? null,
      error_code: error.code ?? null,
    }
    send({ id, error: { code: KNOWN_ERROR, message: 'An error happened. Check the data field for details.', data } })
  }
}

function serve(datamodels) {
  let printed = 0
  const print = (content) => send({ id: `print-${++printed}`, method: 'print', params: { content } })
  const calls = new Calls({ datamodels, print })
  let queue = Promise.resolve()
  const lines = readline.createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    const call = JSON.parse(line)
    // a line without a method is the command line's receipt of a `print`
    if (call.method) queue = queue.then(() => answer(calls, call))
  })
  lines.on('close', () => queue.then(() => process.exit(0)))
}

async function main() {
  endWithParent()
  const { values, positionals } = parseArgs({
    options: {
      datamodels: { type: 'string', short: 'd', multiple: true },
      datasource: { type: 'string' },
    },
    allowPositionals: true,
    strict: false,
  })
  if (positionals[0] === 'cli') {
    process.exit(await runCommand(positionals.at(-1), values.datasource ?? values.datamodels?.[0]))
  }
  serve((values.datamodels ?? []).map((file) => [file, fs.readFileSync(file, 'utf8')]))
}

await main()
