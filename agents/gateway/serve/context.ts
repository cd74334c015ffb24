import type { Chain } from "@clawcompute/lib/chain";
import type { Clock, Logger, Metrics } from "@clawcompute/lib/node";
import type { Address } from "viem";
import type { Budget } from "../budget/budget.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Books } from "../ledger/spend.ts";
import type { Access } from "./access.ts";
import type { ChatDeps } from "./chatJob.ts";
import type { GatewayMetrics } from "./gatewayMetrics.ts";
import type { Replays } from "./replays.ts";

export interface ServePolicy {
  readonly heartbeatMs: number;
  readonly maxBodyBytes: number;
  readonly contextLength: number;
}

/** Everything the routes need, put together in `gateway.ts`. */
export interface GatewayContext {
  readonly chain: Chain;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly counted: GatewayMetrics;
  readonly access: Access;
  readonly chat: ChatDeps;
  readonly budget: Budget;
  readonly ledger: Ledger;
  readonly replays: Replays;
  /** Where it is all kept; undefined for a gateway without a store. */
  readonly books: Books | undefined;
  readonly payer: Address;
  readonly lookBackSeconds: number;
  readonly policy: ServePolicy;
  /** Throws DRAINING when the gateway is stopping. */
  readonly assertServing: () => void;
  /** A request is under way until the returned function is called. */
  readonly begin: () => () => void;
}
