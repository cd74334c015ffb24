import { homedir } from "node:os";
import { join } from "node:path";
import { optional, privateKey, secret, text } from "@clawcompute/lib/config/env";

export const settings = {
  privateKey: optional(privateKey("PRIVATE_KEY", { describe: "key of the wallet, instead of a wallet file" })),
  walletFile: optional(text("WALLET_FILE", { describe: "encrypted wallet file; by default ~/.clawcompute/wallet.json" })),
  passwordFile: optional(text("WALLET_PASSWORD_FILE", { describe: "file that holds the wallet's password" })),
  password: optional(secret("WALLET_PASSWORD", { describe: "the wallet's password; a file is safer" })),
};

export const defaultWalletFile = (home: string = homedir()): string => join(home, ".clawcompute", "wallet.json");
