import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nonceOf, terms } from "./tokenSignatures.ts";
import { inAsset } from "./world.ts";

describe("authorizationNonce", () => {
  const world = inAsset("18 decimals");
  it("it is the hash of the terms, each of which changes it", async () => {
    const w = world();
    const t = terms(w, { providerId: 3n, serviceType: 2 });
    const changes = [
      {},
      { payer: w.parties.rival },
      { recipient: w.parties.rival },
      { duration: 1n },
      { serviceType: 1 },
      { providerId: 4n },
    ];
    const all = [...changes, { salt: `0x${"01".repeat(32)}` as const }].map((change) => ({ ...t, ...change }));
    const nonces = await Promise.all(
      all.map((x) => w.read("authorizationNonce", [x.payer, x.recipient, x.duration, x.serviceType, x.providerId, x.salt])),
    );
    assert.deepEqual(nonces, all.map(nonceOf));
    assert.equal(new Set(nonces).size, all.length);
  });
});
