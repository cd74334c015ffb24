import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Fault, type FaultWorld, faults, startFaultWorld } from "./faults.ts";

/** One test for each fault of this store. The stores have a file each, so that they are tried side by side. */
export function proveFaults(store: Fault["store"]): void {
  let world: FaultWorld;
  beforeAll(async () => {
    world = await startFaultWorld([store]);
    await world.story.blocks(10);
  }, 60_000);
  afterAll(() => world?.stop());

  describe(`the store after a fault equals a fresh index of the chain: ${store}`, () => {
    for (const fault of faults.filter((one) => one.store === store)) {
      it(`behavior: ${fault.name}`, { timeout: 120_000 }, async (context) => {
        if (store === "PostgreSQL" && !world.postgres) context.skip("PostgreSQL is not installed here");
        const { difference } = await fault.run(world);
        expect(difference).toEqual({ rows: expect.any(Number), lost: 0, doubled: 0, wrong: 0 });
        expect(difference.rows).toBeGreaterThan(100);
      });
    }
  });
}
