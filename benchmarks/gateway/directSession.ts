import { connectChain, createSender, readOffer } from "@clawcompute/lib/chain";
import { createDialer, createLogger, steadyClock } from "@clawcompute/lib/node";
import { devAccounts, type LocalChain } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { attemptLimits, openSession } from "../../agents/gateway/attempt.ts";
import { createPayment } from "../../agents/gateway/payment.ts";
import { createProviderClient } from "../../agents/gateway/providerClient.ts";

/** A token of a stream of its own, for calling a provider without a gateway. */
export async function directSession(local: LocalChain, providerId: number): Promise<string> {
  const chain = connectChain(local.network);
  const account = devAccounts[7] as LocalAccount;
  const logger = createLogger({ name: "bench", level: "silent" });
  const sender = createSender({ chain, account, logger });
  const offer = await readOffer(chain, providerId);
  const stream = await createPayment({ chain, sender, clock: steadyClock, logger }).open(offer, 600);
  const dialer = createDialer({ allowPrivate: true });
  const client = createProviderClient(offer.endpoint, dialer);
  const signal = AbortSignal.timeout(20_000);
  const options = { chain, signer: account, client, stream, limits: attemptLimits, clock: steadyClock, signal };
  const { token } = await openSession(options, steadyClock.now() + 20_000);
  dialer.close();
  return token;
}
