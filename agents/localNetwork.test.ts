import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localRpcUrl } from "./localNetwork.ts";

describe("localRpcUrl", () => {
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

  it("behavior: the running network's chain", () => {
    record({});
    expect([localRpcUrl({}, path), localRpcUrl({ NETWORK: "local", RPC_URL: " " }, path)]).toEqual([rpcUrl, rpcUrl]);
  });

  it.each([{ RPC_URL: "http://127.0.0.1:1" }, { NETWORK: "bsc" }, { BSC_TESTNET_RPC: "https://x.example" }])(
    "behavior: %o names another one",
    (env) => {
      record({});
      expect(localRpcUrl(env, path)).toBeUndefined();
    },
  );

  it("behavior: one that starts, is gone or left nonsense does not count", () => {
    record({ status: "starting" });
    const starting = localRpcUrl({}, path);
    record({ launcherPid: 2 ** 30 });
    const gone = localRpcUrl({}, path);
    writeFileSync(path, "{");
    expect([starting, gone, localRpcUrl({}, path), localRpcUrl({}, join(folder, "none"))]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
