import { type Chain, connectChain, createSender, refuseDevKeyOnPublicChain, type Sender } from "@clawcompute/lib/chain";
import { privateKey, readSettings } from "@clawcompute/lib/config/env";
import { networkFromEnv } from "@clawcompute/lib/config/network";
import { createLogger } from "@clawcompute/lib/node";
import { privateKeyToAccount } from "viem/accounts";
import { askPassword } from "../agents/wallet/askPassword.ts";
import { unlock } from "../agents/wallet/unlock.ts";

/**
 * The chain, and a sender for the wallet that owns the providers: PRIVATE_KEY or WALLET_FILE, never the command line. The local
 * network has no default here, because its development accounts own different providers.
 */
export async function connectOwner(env: Readonly<Record<string, string | undefined>>): Promise<{ chain: Chain; sender: Sender }> {
  const network = networkFromEnv(env);
  const owner = privateKey("PRIVATE_KEY", { describe: "key of the wallet that owns the providers" });
  const fromFile = !env.PRIVATE_KEY && (env.WALLET_FILE || !network.isLocal);
  const account = fromFile
    ? (await unlock({ env, network, askPassword })).account
    : privateKeyToAccount(readSettings({ owner }, env).owner);
  refuseDevKeyOnPublicChain(network, account.address);
  const chain = connectChain(network);
  return { chain, sender: createSender({ chain, account, logger: createLogger({ name: "providers", level: "warn" }) }) };
}
