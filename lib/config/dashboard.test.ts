import { describe, expect, it } from "vitest";
import { dashboardConfigFromEnv } from "./dashboard.ts";

describe("dashboardConfigFromEnv", () => {
  it("behavior: needs nothing, and takes an indexer and a price", () => {
    expect(dashboardConfigFromEnv({})).toEqual({ indexerUrl: undefined, coinPrice: undefined });
    expect(dashboardConfigFromEnv({ INDEXER_URL: "http://127.0.0.1:8790/", COIN_PRICE: "612.5 USD" })).toEqual({
      indexerUrl: "http://127.0.0.1:8790",
      coinPrice: { micros: 612_500_000n, currency: "USD" },
    });
  });

  it.each(["612.5", "USD", "-1 USD", "0 USD", "1.1234567 USD", "612 usd"])("error: %s is no price", (COIN_PRICE) => {
    expect(() => dashboardConfigFromEnv({ COIN_PRICE })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", param: "COIN_PRICE" }));
  });

  it("error: an indexer that is no URL", () => {
    expect(() => dashboardConfigFromEnv({ INDEXER_URL: "nowhere" })).toThrow(expect.objectContaining({ param: "INDEXER_URL" }));
  });
});
