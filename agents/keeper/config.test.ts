import { describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";

describe("readConfig", () => {
  it("behavior: needs nothing on the local network, and spends for profit only", () => {
    expect(readConfig({})).toMatchObject({
      network: { name: "local" },
      key: undefined,
      everyMs: 30_000,
      maxBatch: 500,
      minProfitWei: 0n,
      completeAtLoss: false,
      maxLossWei: 10n ** 15n,
      folder: undefined,
      indexerUrl: undefined,
      metrics: undefined,
      logLevel: "info",
    });
  });

  it("behavior: reads what is set", () => {
    const env = {
      KEEPER_EVERY_SECONDS: "5",
      KEEPER_MAX_BATCH: "7",
      KEEPER_MIN_PROFIT: "0.5",
      KEEPER_COMPLETE_AT_LOSS: "1",
      KEEPER_METRICS_PORT: "9100",
    };
    expect(readConfig(env)).toMatchObject({
      everyMs: 5000,
      maxBatch: 7,
      minProfitWei: 5n * 10n ** 17n,
      completeAtLoss: true,
      metrics: { host: "127.0.0.1", port: 9100 },
    });
  });

  it("behavior: a token is worth what it is told, by its decimals", () => {
    const [usd, other] = ["0x00000000000000000000000000000000000000Aa", "0x00000000000000000000000000000000000000bb"] as const;
    const { worth, tokens } = readConfig({ KEEPER_TOKEN_PRICES: `${usd}/6=0.0015, ${other}=2` });
    expect(tokens).toEqual([usd.toLowerCase(), other]);
    expect(worth(usd, 2_000_000n)).toBe(3n * 10n ** 15n);
    expect(worth(other, 5n)).toBe(10n);
    expect(worth("0x00000000000000000000000000000000000000cc", 10n ** 30n)).toBe(0n);
  });

  it("error: names what is wrong", () => {
    const wrong = {
      KEEPER_MAX_BATCH: "501",
      KEEPER_EVERY_SECONDS: "0",
      KEEPER_MIN_PROFIT: "-1",
      KEEPER_COMPLETE_AT_LOSS: "maybe",
      KEEPER_PRIVATE_KEY: "0x12",
      KEEPER_TOKEN_PRICES: "0x12=1",
      KEEPER_MAX_GAS_DAY: "much",
      INDEXER_URL: "ftp://127.0.0.1/",
      NETWORK: "mars",
    };
    for (const [name, value] of Object.entries(wrong)) {
      expect(() => readConfig({ [name]: value })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", param: name }));
    }
  });
});
