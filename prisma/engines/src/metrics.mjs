// What `client.get_metrics()` sees: the native engine's names for what can be counted here.
// Source: Prisma docs, orm/prisma-client/observability-and-logging/metrics, "About metrics".
export class Metrics {
  constructor(engine) {
    this.engine = engine
    this.queries = 0
    this.waiting = 0
  }

  // Counts the query that `run` makes, and that it is waited for.
  async count(run) {
    this.queries++
    this.waiting++
    try {
      return await run()
    } finally {
      this.waiting--
    }
  }

  read() {
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = this.engine.pool ?? {}
    return {
      counters: [counted('prisma_client_queries_total', this.queries, 'Total number of Prisma Client queries executed')],
      gauges: [
        counted('prisma_client_queries_active', this.waiting, 'Number of currently active Prisma Client queries'),
        counted('prisma_client_queries_wait', waitingCount, 'Number of queries that wait for a connection'),
        counted('prisma_pool_connections_open', totalCount, 'Number of pool connections currently open'),
        counted('prisma_pool_connections_busy', totalCount - idleCount, 'Number of pool connections currently busy'),
        counted('prisma_pool_connections_idle', idleCount, 'Number of pool connections currently idle'),
      ],
      histograms: [],
    }
  }

  // Prometheus text format, version 0.0.4.
  exposition() {
    const { counters, gauges } = this.read()
    const lines = (kind) => ({ key, value, description }) =>
      `# HELP ${key} ${description}\n# TYPE ${key} ${kind}\n${key} ${value}\n`
    return [...counters.map(lines('counter')), ...gauges.map(lines('gauge'))].join('\n')
  }
}

const counted = (key, value, description) => ({ key, labels: {}, value, description })
