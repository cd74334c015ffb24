import { defineConfig } from "hardhat/config";
import base from "../hardhat.config.ts";

/** Hardhat with an explorer: the chain is whatever answers at RPC_URL. Used by deploy --verify. */
export default defineConfig({
  ...base,
  networks: { ...base.networks, explorer: { type: "http", chainType: "l1", url: process.env.RPC_URL ?? "http://127.0.0.1:8545" } },
  verify: { etherscan: { apiKey: process.env.ETHERSCAN_API_KEY ?? "" } },
});
