import type { LocalAccount } from "viem";
import { mnemonicToAccount } from "viem/accounts";

/** The phrase that every development chain funds. Never of use on a public chain. */
export const devMnemonic = "test test test test test test test test test test test junk";

/** Funded on every local chain; account 0 deploys the contracts. */
export const devAccounts: readonly LocalAccount[] = Array.from({ length: 20 }, (_, addressIndex) =>
  mnemonicToAccount(devMnemonic, { addressIndex }),
);
