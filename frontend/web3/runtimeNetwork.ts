import "server-only";
import { type CoinPrice, type DashboardConfig, dashboardConfigFromEnv } from "@clawcompute/lib/config/dashboard";
import { type Network, networkFromEnv } from "@clawcompute/lib/config/network";

/** The chain that this server was started for; one build serves any. Throws CONFIG_INVALID or CONTRACT_MISSING. */
export const runtimeNetwork = (): Network => networkFromEnv(process.env);

/** The dashboard's own settings of this server. Throws CONFIG_INVALID. */
export const runtimeConfig = (): DashboardConfig => dashboardConfigFromEnv(process.env);

/** What the browser needs to know of them. */
export interface PageSettings {
  readonly hasIndexer: boolean;
  readonly coinPrice: CoinPrice | undefined;
  readonly walletConnectProjectId: string | undefined;
}

export function pageSettings(): PageSettings {
  const { indexerUrl, ...rest } = runtimeConfig();
  return { hasIndexer: indexerUrl !== undefined, ...rest };
}
