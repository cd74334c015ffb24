import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { isAddressEqual } from "viem";

import { load } from "./world.ts";

describe("registry", () => {
  it("it is the registry given at deployment", async () => {
    const w = await load();
    assert(isAddressEqual(await w.channel.read.registry(), w.registry.address));
    assert(isAddressEqual(await w.faultyChannel.read.registry(), w.faultyRegistry.address));
  });
});
