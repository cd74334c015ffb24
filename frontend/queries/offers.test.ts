import { type Chain, connectChain, listActiveOffers, registryWrites } from "@clawcompute/lib/chain";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { QueryClient } from "@tanstack/react-query";
import { createWalletClient, encodeFunctionData, http, type LocalAccount } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readJournal } from "./journal.ts";
import { ledgerOf } from "./ledger.ts";
import { offersQuery } from "./offers.ts";

const owner = devAccounts[1] as LocalAccount;
let local: LocalChain;
let chain: Chain;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 0 });
  chain = connectChain(local.network);
}, 60_000);
afterAll(() => local?.stop());

const client = new QueryClient();
const shown = () => client.fetchQuery({ ...offersQuery(chain), staleTime: 0 });

async function send({ abi, functionName, args }: ReturnType<typeof registryWrites.registerProvider>) {
  const wallet = createWalletClient({ account: owner, chain: chain.client.chain, transport: http(local.rpcUrl) });
  const data = encodeFunctionData({ abi, functionName, args });
  await wallet.sendTransaction({ to: chain.network.contracts.registry, data, gas: 1_000_000n, chain: wallet.chain ?? null });
  await local.mine();
}
const offer = (model: string, price: bigint) =>
  registryWrites.registerProvider({ model, pricePerSecond: price, endpoint: "http://127.0.0.1:1", serviceType: 0 });

it("behavior: what is shown follows the registry's events, and blocks that are taken back, as a fresh look would", async () => {
  await send(offer("a", 5n));
  await send(offer("b", 3n));
  expect((await shown()).map(({ model }) => model)).toEqual(["b", "a"]);
  await send(registryWrites.updateProvider({ id: 1, pricePerSecond: 2n, endpoint: "http://127.0.0.1:1", active: true }));
  await send(registryWrites.updateProvider({ id: 2, pricePerSecond: 3n, endpoint: "http://127.0.0.1:1", active: false }));
  await send(offer("c", 1n));
  expect(await shown()).toEqual(await listActiveOffers(chain));
  const before = await readJournal(chain);
  expect(before.events.filter(({ contract }) => contract === "registry")).toHaveLength(5);

  // The last two blocks never happened; others take their place.
  await local.request("anvil_reorg", [2, []]);
  await local.mine(2);
  expect((await shown()).map(({ model }) => model)).toEqual(["a", "b"]);
  expect(await shown()).toEqual(await listActiveOffers(chain));
  const after = await readJournal(chain, before);
  expect(after.events).toEqual((await readJournal(chain)).events);
  expect(after.events.filter(({ contract }) => contract === "registry")).toHaveLength(3);
  expect(ledgerOf(after.events).days).toEqual([]);
});
