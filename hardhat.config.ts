import { createRequire } from "node:module";
import toolboxViem from "@nomicfoundation/hardhat-toolbox-viem";
import { defineConfig } from "hardhat/config";

// solc as JavaScript from npm: nothing is downloaded, on any machine.
const solcPath = createRequire(import.meta.url).resolve("solc/soljson.js");

export default defineConfig({
  plugins: [toolboxViem],
  paths: { tests: { nodejs: "test/contracts" } },
  solidity: {
    version: "0.8.37",
    path: solcPath,
    settings: { viaIR: true, optimizer: { enabled: true, runs: 1_000_000 }, evmVersion: "cancun" },
    npmFilesToBuild: [],
  },
  networks: {
    local: { type: "http", chainType: "l1", url: process.env.RPC_URL ?? "http://127.0.0.1:8545" },
    // The fallback where the registry has no anvil for the platform: a block each second, as anvil is run.
    interval: {
      type: "edr-simulated",
      chainType: "l1",
      chainId: 31337,
      blockGasLimit: 300_000_000n,
      mining: { auto: false, interval: 1000 },
    },
  },
});
