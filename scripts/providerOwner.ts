import { type Chain, connectChain, createSender, refuseDevKeyOnPublicChain, type Sender } from "@clawcompute/lib/chain";
import { privateKey, readSettings } from "@clawcompute/lib/config/env";
import { networkFromEnv } from "@clawcompute/lib/config/network";
import { createLogger } from "@clawcompute/lib/node";
import { privateKeyToAccount } from "viem/accounts";

/** The chain, and a sender for the wallet in PRIVATE_KEY. The key is never taken from the command line. */
export function connectOwner(env: Readonly<Record<string, string | undefined>>): { chain: Chain; sender: Sender } {
  const network = networkFromEnv(env);
  const { key } = readSettings({ key: privateKey("PRIVATE_KEY", { describe: "key of the wallet that owns the providers" }) }, env);
  const account = privateKeyToAccount(key);
  refuseDevKeyOnPublicChain(network, account.address);
  const chain = connectChain(network);
  return { chain, sender: createSender({ chain, account, logger: createLogger({ name: "providers", level: "warn" }) }) };
}
