import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localNetworkEnv } from "./localNetwork.ts";

describe("localNetworkEnv", () => {
  const rpcUrl = "http://127.0.0.1:8555";
  let folder = "";
  let path = "";
  const record = (changes: object) =>
    writeFileSync(path, JSON.stringify({ status: "ready", launcherPid: process.pid, rpcUrl, ...changes }));
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "claw-network-"));
    path = join(folder, "network.json");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const urls = { gateway: "http://127.0.0.1:8777", indexer: "http://127.0.0.1:8799" };

  it("behavior: the running network's chain, gateway and indexer", () => {
    record({});
    expect(localNetworkEnv({}, path)).toEqual({ RPC_URL: rpcUrl });
    record({ urls });
    const all = { RPC_URL: rpcUrl, GATEWAY_URL: urls.gateway, INDEXER_URL: urls.indexer };
    expect([localNetworkEnv({}, path), localNetworkEnv({ NETWORK: "local", RPC_URL: " " }, path)]).toEqual([all, all]);
  });

  it.each([
    [{ GATEWAY_PORT: "8700" }, ["INDEXER_URL", "RPC_URL"]],
    [{ GATEWAY_URL: "http://127.0.0.1:1", INDEXER_URL: "http://127.0.0.1:2" }, ["RPC_URL"]],
  ])("behavior: %o stays as it is", (env, names) => {
    record({ urls });
    expect(Object.keys(localNetworkEnv(env, path)).sort()).toEqual(names);
  });

  it.each([{ RPC_URL: "http://127.0.0.1:1" }, { NETWORK: "bsc" }, { BSC_TESTNET_RPC: "https://x.example" }])(
    "behavior: %o names another one",
    (env) => {
      record({});
      expect(localNetworkEnv(env, path)).toEqual({});
    },
  );

  it("behavior: one that starts, is gone or left nonsense does not count", () => {
    record({ status: "starting" });
    const starting = localNetworkEnv({}, path);
    record({ launcherPid: 2 ** 30 });
    const gone = localNetworkEnv({}, path);
    writeFileSync(path, "{");
    expect([starting, gone, localNetworkEnv({}, path), localNetworkEnv({}, join(folder, "none"))]).toEqual([{}, {}, {}, {}]);
  });
});
