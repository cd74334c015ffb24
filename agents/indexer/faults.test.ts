import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultWorld, faults, startFaultWorld } from "./testing/faults.ts";

let world: FaultWorld;
beforeAll(async () => {
  world = await startFaultWorld();
  await world.story.blocks(10);
}, 60_000);
afterAll(() => world?.stop());

describe("the store after a fault equals a fresh index of the chain", () => {
  for (const fault of faults) {
    it(`behavior: ${fault.name} (${fault.store})`, { timeout: 120_000 }, async (context) => {
      if (fault.store === "PostgreSQL" && !world.postgres) context.skip("PostgreSQL is not installed here");
      const { difference } = await fault.run(world);
      expect(difference).toEqual({ rows: expect.any(Number), lost: 0, doubled: 0, wrong: 0 });
      expect(difference.rows).toBeGreaterThan(100);
    });
  }
});
