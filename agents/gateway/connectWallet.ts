import { assertChain, type Chain, connectChain, createSender, type Sender } from "@clawcompute/lib/chain";
import { createLogger, type Logger, steadyClock } from "@clawcompute/lib/node";
import { askPassword } from "../wallet/askPassword.ts";
import { unlock } from "../wallet/unlock.ts";
import type { GatewayConfig } from "./config.ts";

export interface ConnectedWallet {
  readonly chain: Chain;
  readonly logger: Logger;
  readonly sender: Sender;
}

/** The chain, looked at once, and the wallet that pays on it. Throws CHAIN_*, CONTRACT_MISSING, WALLET_* or DEV_KEY_ON_PUBLIC_CHAIN. */
export async function connectWallet(config: GatewayConfig, env: Readonly<Record<string, string | undefined>>): Promise<ConnectedWallet> {
  const logger = createLogger({ name: "claw", level: config.logLevel });
  const chain = connectChain(config.network);
  await assertChain(chain);
  const { account, source } = await unlock({ env, network: config.network, askPassword });
  logger.info({ address: account.address, source, network: config.network.name }, "wallet unlocked");
  return { chain, logger, sender: createSender({ chain, account, logger, clock: steadyClock }) };
}
