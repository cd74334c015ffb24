import assert from "node:assert/strict";
import { afterEach, before, beforeEach } from "node:test";
import type { Chain } from "./chain.ts";

/** What `make` builds, which every test of a `describe` finds as it was built. */
export function fresh<T extends { readonly chain: Chain }>(make: () => Promise<T>): () => T {
  let [world, restore]: [T | undefined, (() => Promise<void>) | undefined] = [undefined, undefined];
  before(async () => {
    world = await make();
  });
  beforeEach(async () => {
    restore = await world?.chain.snapshot();
  });
  afterEach(() => restore?.());
  return () => {
    assert(world);
    return world;
  };
}
