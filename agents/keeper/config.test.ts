import { describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";

describe("readConfig", () => {
  it("behavior: needs nothing on the local network, and spends for profit only", () => {
    expect(readConfig({})).toMatchObject({
      network: { name: "local" },
      key: undefined,
      everyMs: 30_000,
      maxBatch: 100,
      minProfitWei: 0n,
      completeAtLoss: false,
      maxLossWei: 10n ** 15n,
      stateFile: undefined,
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

  it("error: names what is wrong", () => {
    const wrong = {
      KEEPER_MAX_BATCH: "101",
      KEEPER_EVERY_SECONDS: "0",
      KEEPER_MIN_PROFIT: "-1",
      KEEPER_COMPLETE_AT_LOSS: "maybe",
      KEEPER_PRIVATE_KEY: "0x12",
      NETWORK: "mars",
    };
    for (const [name, value] of Object.entries(wrong)) {
      expect(() => readConfig({ [name]: value })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", param: name }));
    }
  });
});
