import { type Chain, connectChain, createSender, listActiveOffers, registryWrites } from "@clawcompute/lib/chain";
import { createFakeClock, createRecordingLogger, devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { type LocalAccount, zeroAddress } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createCatalog } from "./catalog.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const bounds = { whole: 10, samples: 2, perSample: 5, models: 10, perModel: 3 };
const OFFERS = 60;
/** Nobody finds it by looking here and there. */
const RARE = 20;
let local: LocalChain;
let chain: Chain;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 0 });
  chain = connectChain({ ...local.network, blockTimeMs: 100 });
  const sender = createSender({ chain, account: devAccounts[1] as LocalAccount, logger: createRecordingLogger() });
  let out = 0;
  const onSent = () => {
    out += 1;
    if (out === OFFERS) void local.mine();
  };
  const offers = Array.from({ length: OFFERS }, (_, index) => ({
    model: index + 1 === RARE ? "rare" : `model-${index % 5}`,
    pricePerSecond: BigInt(1 + ((index * 7919) % 1000)),
    endpoint: "https://provider.example.org/",
    serviceType: 0,
  }));
  await Promise.all(offers.map((offer) => sender.send(registryWrites.registerProvider(offer), { onSent })));
});
afterAll(() => local?.stop());

const catalogOf = (large: boolean) => {
  const clock = createFakeClock();
  const shared = { chain, asset: zeroAddress, clock, logger: createRecordingLogger() as never, renewAfterMs: 5_000, staleAfterMs: 60_000 };
  return { clock, catalog: createCatalog(large ? { ...shared, bounds } : shared) };
};

describe("createCatalog", () => {
  test("behavior: a small market is known whole, by one reading for all who ask", async () => {
    const { catalog } = catalogOf(false);
    const asked = vi.spyOn(chain.client, "readContract");
    const seen = await Promise.all(Array.from({ length: 20 }, () => catalog.offers()));
    const once = asked.mock.calls.length;
    asked.mockRestore();
    expect(once).toBeLessThan(5);
    expect(seen[0]).toEqual(await listActiveOffers(chain, { asset: zeroAddress }));
    expect(seen[0]).toHaveLength(OFFERS);
  });

  test("behavior: of a large market the cheapest of each model; by name also what is rare, its provider, and nothing that is not there", async () => {
    const { catalog } = catalogOf(true);
    const all = await listActiveOffers(chain, { asset: zeroAddress });
    const seen = await catalog.offers();
    expect(seen).toHaveLength(5 * bounds.perModel);
    expect(seen[0]).toEqual(all.find(({ model }) => model !== "rare"));
    expect(seen.map(({ model }) => model)).not.toContain("rare");
    const rare = all.find(({ model }) => model === "rare");
    const byName = await catalog.offers(undefined, { models: ["rare", "nobody's", "x".repeat(65)], providers: [] });
    expect(byName).toEqual(all.filter((offer) => offer.id === RARE || seen.some(({ id }) => id === offer.id)));
    const dear = all.at(-1) as (typeof all)[number];
    const byId = await catalog.offers(undefined, { models: [], providers: [RARE, dear.id, 4_000_000_000] });
    expect(byId.map(({ id }) => id)).toEqual(expect.arrayContaining([RARE, dear.id]));
    expect(byId.find(({ id }) => id === RARE)).toEqual(rare);
    expect(byId).toHaveLength(seen.length + 2);
  });

  test("behavior: what was found by name is asked for again when it is too old, and not before", async () => {
    const { catalog, clock } = catalogOf(true);
    const wanted = { models: ["rare"], providers: [] };
    await catalog.offers(undefined, wanted);
    const asked = vi.spyOn(chain.client, "readContract");
    await catalog.offers(undefined, wanted);
    expect(asked).not.toHaveBeenCalled();
    await clock.tick(60_001);
    const found = await catalog.offers(undefined, wanted);
    expect(asked.mock.calls.length).toBeGreaterThan(0);
    expect(found.some(({ id }) => id === RARE)).toBe(true);
    asked.mockRestore();
  });
});
