// Prints the providers that the registry lists.
import { connectChain, listActiveOffers, listWalletOffers, type Offer } from "@clawcompute/lib/chain";
import { networkFromEnv } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import { type Address, isAddress, zeroAddress } from "viem";
import { printable, runScript, table } from "./chainScript.ts";

const help = `
list-providers: the active providers, cheapest first, with their endpoints

  node scripts/list-providers.ts [--model NAME] [--wallet ADDRESS]

  --model NAME      only this model
  --wallet ADDRESS  every provider of this wallet instead, inactive ones too, newest first`;

await runScript(help, { model: { type: "string" }, wallet: { type: "string" } }, async ({ flags, env, print }) => {
  const chain = connectChain(networkFromEnv(env));
  const { model, wallet } = flags as { model?: string; wallet?: string };
  if (wallet !== undefined && !isAddress(wallet, { strict: false }))
    throw new AppError("BAD_ADDRESS", `--wallet: ${wallet} is no address.`, { param: "wallet" });
  const listed =
    wallet === undefined
      ? await listActiveOffers(chain, model === undefined ? {} : { model })
      : await listWalletOffers(chain, wallet as Address);
  const offers = model === undefined ? listed : listed.filter((offer) => offer.model === model);
  const { name, chainId, nativeSymbol } = chain.network;
  const row = (offer: Offer) => [
    String(offer.id),
    printable(offer.model, 40),
    offer.asset === zeroAddress ? `${formatAmount(offer.pricePerSecond)} ${nativeSymbol}` : `${offer.pricePerSecond} raw of ${offer.asset}`,
    offer.active ? "yes" : "no",
    String(offer.completions),
    printable(offer.endpoint),
    offer.owner,
  ];
  const lines = offers.length
    ? table(["id", "model", "price per second", "active", "paid", "endpoint", "owner"], offers.map(row))
    : [`No providers on ${name} (chain ${chainId}). Start one with \`npm run provider\`.`];
  print(lines, { network: name, chainId, providers: offers });
});
