import { refuseDevKeyOnPublicChain } from "@clawcompute/lib/chain";
import { invalidConfig } from "@clawcompute/lib/config/env";
import type { Address, LocalAccount } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { type AskPassword, unlock } from "../wallet/unlock.ts";
import type { ProviderConfig } from "./config.ts";
import { fastSigner } from "./fastSigner.ts";

export interface ProviderKeys {
  readonly owner: Address;
  /** Undefined where the owner's key is kept elsewhere. */
  readonly ownerAccount: LocalAccount | undefined;
  readonly signer: LocalAccount;
}

/** Which of the well-known accounts provides on a local chain when nothing is configured: none of those that `npm start` uses. */
const PROVIDER_INDEX = 7;

/** Throws CONFIG_INVALID, WALLET_MISSING, WALLET_LOCKED, or DEV_KEY_ON_PUBLIC_CHAIN. */
export async function readKeys(
  config: Pick<ProviderConfig, "ownerKey" | "ownerAddress" | "signerKey" | "network">,
  env: Readonly<Record<string, string | undefined>>,
  askPassword: AskPassword,
): Promise<ProviderKeys> {
  const { ownerKey, ownerAddress, signerKey, network } = config;
  const ownerAccount = await ownerAccountOf();
  const owner = ownerAccount?.address ?? (ownerAddress as Address);
  const signer = signerKey ? fastSigner(signerKey) : ownerAccount;
  if (!signer) throw invalidConfig("SIGNER_PRIVATE_KEY", "is required with PROVIDER_ADDRESS", "Somebody has to sign the receipts.");
  for (const { address } of [signer, { address: owner }]) refuseDevKeyOnPublicChain(network, address);
  return { owner, ownerAccount, signer };

  async function ownerAccountOf(): Promise<LocalAccount | undefined> {
    if (ownerKey) return fastSigner(ownerKey);
    if (ownerAddress) return undefined;
    const nothingSet = !env.PRIVATE_KEY?.trim() && !env.WALLET_FILE?.trim();
    if (network.isLocal && nothingSet) {
      return mnemonicToAccount("test test test test test test test test test test test junk", { addressIndex: PROVIDER_INDEX });
    }
    return (await unlock({ env, network, askPassword })).account;
  }
}
