// What a stranger can do to the market's list.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inMarket, MODEL } from "../ComputeRegistry/world.ts";
import { inAsset } from "../StreamPay/world.ts";

describe("open reputation: completions that anybody writes", () => {
  const market = inMarket();
  it("only the two payment contracts record, and only what they paid", async () => {
    const m = market();
    const id = await m.register();
    for (const from of [m.owner, m.other, m.stranger]) {
      await m.refuses(m.call(from, "recordCompletion", [id, 10n ** 30n]), "ComputeRegistry_NotPaymentContract", [from]);
      await m.refuses(m.call(from, "recordCompletions", [id, 10n ** 9n, 10n ** 30n]), "ComputeRegistry_NotPaymentContract", [from]);
    }
  });

  const world = inAsset("native coin");
  it("a stream that pays nothing counts nothing, and one in another asset cannot name the provider", async () => {
    const w = world();
    const providerId = await w.provide();
    for (let i = 0; i < 3; i++) {
      const id = await w.open({ providerId });
      await w.chain.send(w.call(w.parties.payer, "cancelStream", [id]));
    }
    const junk = await w.chain.deploy("MockToken", ["Junk", "JUNK", 18]);
    const { payer, payee } = w.parties;
    await w.refuses(w.call(payer, "createStream", [junk.address, 10n ** 20n, payee, 10n ** 7n, 0, providerId]), "StreamPay_AssetMismatch", [
      junk.address,
      w.asset,
    ]);
    const { completions, earned } = await w.provider(providerId);
    assert.deepEqual([completions, earned], [0n, 0n]);
  });
});

describe("phishing: a contract that an owner was lured to call", () => {
  const world = inAsset("native coin");
  it("cannot change the owner's offer, and what it registers is its own", async () => {
    const w = world();
    const { payee, contractPayee } = w.parties;
    const id = await w.provide();
    const lured = (fn: string, args: readonly unknown[]) => ({
      ...w.through("contractPayee", { from: payee, to: w.registry, fn, args }),
      from: payee,
    });
    await w.refuses(lured("updateProvider", [id, 1n, "https://thief.example", true]), "ComputeRegistry_NotOwner", [
      id,
      contractPayee,
      payee,
    ]);
    await w.refuses(lured("setProviderSigner", [id, contractPayee]), "ComputeRegistry_NotOwner", [id, contractPayee, payee]);
    const done = await w.chain.send(lured("registerProvider", ["model", 1n, "endpoint", 0]));
    assert.equal(w.chain.events(done, w.registry)[0]?.args.owner, contractPayee);
    assert.deepEqual(await w.chain.read(w.registry, "getWalletProviders", [contractPayee, 0n, 9n]), [id + 1n]);
    assert.deepEqual(await w.chain.read(w.registry, "getWalletProviders", [payee, 0n, 9n]), [id]);
    assert.equal((await w.chain.read<{ owner: string }>(w.registry, "getProvider", [id + 1n])).owner, contractPayee);
    await w.refuses(lured("recordCompletion", [id, 1n]), "ComputeRegistry_NotPaymentContract", [contractPayee]);
  });
});

describe("finding 16: markup in names that a page shows", () => {
  const market = inMarket();
  it("comes back byte for byte, bounded, and is the reader's to escape", async () => {
    const m = market();
    const [model, endpoint] = ["<img src=x onerror=alert(1)>", "javascript:alert(document.domain)"];
    const id = await m.register({ model, endpoint });
    const shown = await m.provider(id);
    assert.deepEqual([shown.model, shown.endpoint], [model, endpoint]);
    await m.refuses(m.registering({ model: "x".repeat(65) }), "ComputeRegistry_ModelLength", [65n]);
  });
});

describe("unbounded loops: a list that spam makes unreadable", () => {
  const market = inMarket();
  it("spam costs the spammer, and pages and the cheapest stay readable", async () => {
    const m = market();
    const honest = await m.register({ price: 5n });
    for (let i = 0n; i < 150n; i++) await m.register({ from: m.other, price: 6n + i });
    assert.deepEqual(await m.read("getCheapestProvider", [MODEL]), [honest, 5n]);
    assert.deepEqual(await m.read("getProvidersByModel", [MODEL, 0n, 3n]), [honest, 2n, 3n]);
    assert.equal((await m.read<bigint[]>("getActiveProviderIds", [100n, 25n])).length, 25);
    const read = await m.chain.send(m.call(m.stranger, "getCheapestProvider", [MODEL]));
    assert(read.gasUsed < 40_000n, `${read.gasUsed}`);
    const update = await m.chain.send(m.updating(honest, { price: 80n }));
    assert(update.gasUsed < 250_000n, `${update.gasUsed}`);
  });

  it("a cheaper copy of an offer cannot carry another owner's streams", async () => {
    const m = market();
    await m.register({ price: 5n });
    const fake = await m.register({ from: m.other, price: 1n });
    const [owner] = await m.read<[string]>("getOffer", [fake]);
    assert.equal(owner, m.other);
    await m.refuses(m.updating(1n, { price: 1n, from: m.other }), "ComputeRegistry_NotOwner", [1n, m.other, m.owner]);
  });
});
