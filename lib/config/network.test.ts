import { describe, expect, it } from "vitest";
import { chainParametersOf, networkFromEnv, networkOf } from "./network.ts";

const contracts = {
  registry: "0x1111111111111111111111111111111111111111",
  streamPay: "0x2222222222222222222222222222222222222222",
  paymentChannel: "0x3333333333333333333333333333333333333333",
} as const;

describe("networkOf", () => {
  it("behavior: the local network needs nothing else", () => {
    const { rpcUrls, contracts: deployed, isLocal, chainId, nativeSymbol } = networkOf({ name: "local" });
    expect({ rpcUrls, deployed, isLocal, chainId, nativeSymbol }).toEqual({
      rpcUrls: ["http://127.0.0.1:8545"],
      deployed: {
        registry: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
        streamPay: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512",
        paymentChannel: "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0",
      },
      isLocal: true,
      chainId: 31337,
      nativeSymbol: "ETH",
    });
  });

  it("behavior: given addresses and RPC URLs win", () => {
    const network = networkOf({ name: "bsc", rpcUrls: ["https://rpc.example.org"], contracts, deployBlock: 5n });
    expect(network).toMatchObject({
      chainId: 56,
      rpcUrls: ["https://rpc.example.org"],
      contracts,
      deployBlock: 5n,
      isLocal: false,
      nativeSymbol: "BNB",
    });
  });

  it("behavior: a custom chain is any chain, and is local only by its chain id", () => {
    const options = { name: "custom", rpcUrls: ["http://127.0.0.1:1"], contracts };
    expect(networkOf({ ...options, chainId: 84532 })).toMatchObject({ chainId: 84532, isLocal: false, confirmations: 3 });
    expect(networkOf({ ...options, chainId: 31337 })).toMatchObject({ isLocal: true, rpcUrls: ["http://127.0.0.1:1"] });
  });

  it("error: refuses what is wrong, naming it", () => {
    const refusals = [
      [{ name: "mars" }, "NETWORK"],
      [{ name: "local", chainId: 1 }, "CHAIN_ID"],
      [{ name: "local", rpcUrls: ["ftp://x"] }, "RPC_URL"],
      [{ name: "local", wsUrl: "http://x" }, "WS_URL"],
      [{ name: "custom", rpcUrls: ["http://x"] }, "CHAIN_ID"],
      [{ name: "custom", chainId: -1, rpcUrls: ["http://x"] }, "CHAIN_ID"],
      [{ name: "custom", chainId: 5 }, "RPC_URL"],
      [{ name: "local", contracts: { registry: "0x12" } }, "registry"],
      [{ name: "local", deployBlock: -1n }, "DEPLOY_BLOCK"],
    ] as const;
    for (const [options, param] of refusals) {
      expect(
        () => networkOf(options as never),
        JSON.stringify(options, (_, value) => (typeof value === "bigint" ? String(value) : value)),
      ).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", param }));
    }
  });

  it("error: a chain without our contracts is CONTRACT_MISSING, and can still be deployed to", () => {
    const options = { name: "custom", chainId: 424242, rpcUrls: ["http://127.0.0.1:1"] };
    expect(() => networkOf(options)).toThrow(expect.objectContaining({ code: "CONTRACT_MISSING", param: "registry" }));
    expect(chainParametersOf(options)).toMatchObject({ chainId: 424242, name: "custom" });
  });

  it("behavior: BSC_TESTNET_RPC chooses its network for every program, and does nothing on another one", () => {
    const contracts = {
      REGISTRY_ADDRESS: `0x${"1".repeat(40)}`,
      STREAM_PAY_ADDRESS: `0x${"2".repeat(40)}`,
      PAYMENT_CHANNEL_ADDRESS: `0x${"3".repeat(40)}`,
    };
    const rpc = { BSC_TESTNET_RPC: "https://rpc.example" };
    expect(networkFromEnv({ ...contracts, ...rpc })).toMatchObject({ chainId: 97, rpcUrls: ["https://rpc.example"] });
    expect(networkFromEnv({ ...contracts, ...rpc, RPC_URL: "https://own.example" })).toMatchObject({ rpcUrls: ["https://own.example"] });
    expect(networkFromEnv({ ...rpc, NETWORK: "local" })).toMatchObject({ chainId: 31337, rpcUrls: ["http://127.0.0.1:8545"] });
  });
});
