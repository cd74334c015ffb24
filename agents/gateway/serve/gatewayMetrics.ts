import type { Metrics } from "@clawcompute/lib/node";

export interface GatewayMetrics {
  answered(outcome: string, source: "network" | "local" | "none"): void;
  firstToken(seconds: number): void;
  /** From the client's leaving to the upstream's end (P9). */
  disconnect(seconds: number): void;
}

export function createGatewayMetrics(metrics: Metrics): GatewayMetrics {
  const answers = metrics.counter("answers", "Requests by how they ended", ["outcome", "source"]);
  const firstToken = metrics.histogram("first_token_seconds", "From a client's request to the first word of its answer");
  const disconnect = metrics.histogram("disconnect_seconds", "From a client's leaving until the provider was told");
  return {
    answered: (outcome, source) => answers.inc({ outcome, source }),
    firstToken: (seconds) => firstToken.observe(seconds),
    disconnect: (seconds) => disconnect.observe(seconds),
  };
}
