import { optional, privateKey, secret, text } from "@clawcompute/lib/config/env";

/** Who pays for a deployment, and who publishes its sources. */
export const deploySettings = {
  key: optional(privateKey("DEPLOYER_PRIVATE_KEY", { describe: "key of the account that deploys" })),
  walletFile: optional(text("DEPLOYER_WALLET_FILE", { describe: "encrypted wallet file of the account that deploys" })),
  explorerKey: optional(secret("ETHERSCAN_API_KEY", { describe: "explorer's API key, for publishing the sources" })),
};
