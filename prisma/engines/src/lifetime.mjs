// An engine lives no longer than the process that started it, also when that one is killed.
const ASK_MILLIS = 1000

// The launcher hands its parent's id on: asked only here, a parent that died in between would be taken for init.
export function endWithParent() {
  const parent = Number(process.env.PRISMA_ENGINE_PARENT ?? process.ppid)
  const ask = () => { if (process.ppid !== parent) process.exit(0) }
  setInterval(ask, ASK_MILLIS).unref()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(0))
}
