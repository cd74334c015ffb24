import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Prometheus metrics of one process; every name starts with `clawcompute_<program>_`. */
export interface Metrics {
  readonly registry: Registry;
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string = never>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** Buckets in seconds. */
  histogram<L extends string = never>(name: string, help: string, labels?: readonly L[], buckets?: number[]): Histogram<L>;
  render(): Promise<string>;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function createMetrics(program: string, withProcess = true): Metrics {
  const registry = new Registry();
  const prefix = `clawcompute_${program}_`;
  if (withProcess) collectDefaultMetrics({ register: registry });
  return {
    registry,
    counter: (name, help, labels = []) => new Counter({ name: prefix + name, help, labelNames: [...labels], registers: [registry] }),
    gauge: (name, help, labels = []) => new Gauge({ name: prefix + name, help, labelNames: [...labels], registers: [registry] }),
    histogram: (name, help, labels = [], buckets = SECONDS) =>
      new Histogram({ name: prefix + name, help, labelNames: [...labels], buckets, registers: [registry] }),
    render: () => registry.metrics(),
  };
}
