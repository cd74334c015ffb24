// Deactivates duplicate and stale providers of one's own wallet.
import { listWalletOffers, type Offer, registryWrites } from "@clawcompute/lib/chain";
import { formatAmount } from "@clawcompute/lib/money";
import { printable, runScript, table } from "./chainScript.ts";
import { planCleanup } from "./planCleanup.ts";
import { connectOwner } from "./providerOwner.ts";

const help = `
cleanup-providers: deactivate duplicate and stale providers of your wallet

  PRIVATE_KEY=… node scripts/cleanup-providers.ts [--check] [--send]

Keeps one active provider for each model: remote before local, newest first. It never deactivates the last one of a model.

  --check           ask each endpoint's /health, and prefer those that answer
  --send            send the transactions; without it, public chains only get a plan`;

await runScript(help, { check: { type: "boolean" }, send: { type: "boolean" } }, async ({ flags, env, print, say }) => {
  const { chain, sender } = await connectOwner(env);
  const { isLocal, nativeSymbol } = chain.network;
  const offers = (await listWalletOffers(chain, sender.account.address)).filter(({ active }) => active);
  const answers = flags.check
    ? new Map(await Promise.all(offers.map(async (offer) => [offer.id, await answersHealth(offer)] as const)))
    : undefined;
  const { keep, deactivate } = planCleanup(offers, answers);
  const send = deactivate.length > 0 && (Boolean(flags.send) || isLocal);
  const row = (offer: Offer, what: string) => [String(offer.id), printable(offer.model, 40), what, printable(offer.endpoint)];
  const lines = table(
    ["id", "model", "", "endpoint"],
    [
      ...keep.map((offer) => row(offer, answers?.get(offer.id) === false ? "keep (the last one; does not answer)" : "keep")),
      ...deactivate.map(({ offer, reason }) => row(offer, `deactivate (${reason})`)),
    ],
  );
  const transactions: { id: number; hash: string }[] = [];
  let feeWei = 0n;
  if (send) {
    for (const { offer } of deactivate) {
      const { id, pricePerSecond, endpoint } = offer;
      say(`deactivating provider ${id}…`);
      const sent = await sender.send(registryWrites.updateProvider({ id, pricePerSecond, endpoint, active: false }));
      transactions.push({ id, hash: sent.hash });
      feeWei += sent.feeWei;
    }
    lines.push(`${transactions.length} deactivated, gas ${formatAmount(feeWei)} ${nativeSymbol}`);
  } else lines.push(deactivate.length ? "Nothing was sent: this is a plan. Add --send to do it." : "Nothing to do.");
  print(offers.length ? lines : [`${sender.account.address} has no active providers.`], {
    kept: keep.map(({ id }) => id),
    deactivated: deactivate.map(({ offer, reason }) => ({ id: offer.id, reason })),
    sent: send,
    transactions,
    feeWei,
  });
});

/** The endpoints are the wallet's own, so they are asked wherever they are. */
async function answersHealth({ endpoint }: Offer): Promise<boolean> {
  try {
    const answer = await fetch(new URL("/health", endpoint), { signal: AbortSignal.timeout(5_000), redirect: "manual" });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
