import { networkOf } from "@clawcompute/lib/config/network";
import { devAccounts } from "@clawcompute/lib/testing";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { describe, expect, test } from "vitest";
import { readKeys } from "./keys.ts";

const local = networkOf({ name: "local" });
const publicChain = { ...local, name: "bsc", chainId: 56, isLocal: false };
const nobody = async () => undefined;
const none = { ownerKey: undefined, ownerAddress: undefined, signerKey: undefined };
const devKey = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d" as const;

describe("readKeys", () => {
  test("behavior: on the local network nothing has to be configured", async () => {
    const { owner, ownerAccount, signer } = await readKeys({ ...none, network: local }, {}, nobody);
    expect([owner, ownerAccount?.address, signer.address]).toEqual(Array(3).fill(devAccounts[7]?.address));
  });

  test("behavior: the provider's own key goes before the wallet's; a signer's key signs", async () => {
    const [ownerKey, walletKey, signerKey] = [generatePrivateKey(), generatePrivateKey(), generatePrivateKey()];
    const given = { ...none, ownerKey, signerKey, network: publicChain };
    const { owner, signer } = await readKeys(given, { PRIVATE_KEY: walletKey }, nobody);
    expect([owner, signer.address]).toEqual([privateKeyToAddress(ownerKey), privateKeyToAddress(signerKey)]);
    const plain = await readKeys({ ...none, network: publicChain }, { PRIVATE_KEY: walletKey }, nobody);
    expect(plain.owner).toBe(privateKeyToAddress(walletKey));
  });

  test("behavior: with the owner's address and a signer's key, no valuable key is here", async () => {
    const signerKey = generatePrivateKey();
    const ownerAddress = privateKeyToAddress(generatePrivateKey());
    const keys = await readKeys({ ...none, ownerAddress, signerKey, network: publicChain }, {}, nobody);
    expect(keys).toMatchObject({ owner: ownerAddress, ownerAccount: undefined, signer: { address: privateKeyToAddress(signerKey) } });
  });

  test("error: an address alone cannot sign", async () => {
    const ownerAddress = privateKeyToAddress(generatePrivateKey());
    await expect(readKeys({ ...none, ownerAddress, network: local }, {}, nobody)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      param: "SIGNER_PRIVATE_KEY",
    });
  });

  test("error: a key that everybody has is refused on a public chain, as owner and as signer", async () => {
    const own = generatePrivateKey();
    for (const keys of [{ ownerKey: devKey }, { ownerKey: own, signerKey: devKey }]) {
      await expect(readKeys({ ...none, ...keys, network: publicChain }, {}, nobody)).rejects.toMatchObject({
        code: "DEV_KEY_ON_PUBLIC_CHAIN",
      });
    }
  });
});
