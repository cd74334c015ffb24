import "server-only";
import { type Network, networkFromEnv } from "@clawcompute/lib/config/network";

/** The chain that this server was started for; one build serves any. Throws CONFIG_INVALID or CONTRACT_MISSING. */
export const runtimeNetwork = (): Network => networkFromEnv(process.env);
