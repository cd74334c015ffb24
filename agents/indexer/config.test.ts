import { expect, it } from "vitest";
import { readConfig } from "./config.ts";

it("behavior: the local network needs no settings", () => {
  const { port, host, folder, databaseUrl, readOnly, allowPrivate, probeSeconds, network } = readConfig({});
  expect({ port, host, databaseUrl, readOnly, allowPrivate, probeSeconds, chainId: network.chainId }).toEqual({
    port: 8790,
    host: "127.0.0.1",
    databaseUrl: undefined,
    readOnly: false,
    allowPrivate: true,
    probeSeconds: 60,
    chainId: 31337,
  });
  expect(folder).toMatch(/\.clawcompute\/indexer-31337$/);
});

it("behavior: a server needs no folder, a free port keeps nothing, a folder is taken", () => {
  expect(readConfig({ DATABASE_URL: "postgres://a@b/c" }).folder).toBeUndefined();
  expect(readConfig({ INDEXER_PORT: "0" }).folder).toBeUndefined();
  expect(readConfig({ INDEXER_PORT: "0", INDEXER_DATA_DIR: "/x" }).folder).toBe("/x");
});

it("behavior: strangers' private addresses are probed on a local chain only, unless told", () => {
  const custom = { NETWORK: "custom", CHAIN_ID: "56", RPC_URL: "http://127.0.0.1:1" };
  const contracts = Object.fromEntries(
    ["REGISTRY_ADDRESS", "STREAM_PAY_ADDRESS", "PAYMENT_CHANNEL_ADDRESS"].map((name) => [name, `0x${"1".repeat(40)}`]),
  );
  expect(readConfig({ ...custom, ...contracts }).allowPrivate).toBe(false);
  expect(readConfig({ ...custom, ...contracts, ALLOW_PRIVATE_ENDPOINTS: "1" }).allowPrivate).toBe(true);
});

it.each([
  ["INDEXER_PORT", "70000"],
  ["DATABASE_URL", "mysql://x"],
  ["INDEXER_POLL_MS", "1"],
  ["INDEXER_PROBE_SECONDS", "often"],
])("error: %s=%s", (name, value) => {
  expect(() => readConfig({ [name]: value })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", param: name }));
});
