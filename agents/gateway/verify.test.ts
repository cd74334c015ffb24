import { connectChain, type Offer } from "@clawcompute/lib/chain";
import { signSettlement } from "@clawcompute/lib/protocol";
import { devAccounts, type LocalChain, readArtifact, startLocalChain } from "@clawcompute/lib/testing";
import { type Address, createWalletClient, type Hex, http, type LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { OpenStream } from "./payment.ts";
import { domainOf, verifySettlement } from "./verify.ts";

vi.setConfig({ hookTimeout: 60_000 });

const [deployer, key, stranger] = devAccounts as readonly LocalAccount[] as [LocalAccount, LocalAccount, LocalAccount];
let local: LocalChain;
let contract: Address;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 0 });
  const { abi, bytecode } = readArtifact("ContractWallet", "mocks/Actors.sol");
  const wallet = createWalletClient({ account: deployer, transport: http(local.rpcUrl) });
  const hash = await wallet.deployContract({ abi, bytecode: bytecode as Hex, args: [key.address], chain: null });
  await local.mine();
  const { contractAddress } = await connectChain(local.network).client.getTransactionReceipt({ hash });
  contract = contractAddress as Address;
});
afterAll(() => local?.stop());

describe("verifySettlement", () => {
  test("behavior: a provider whose owner is a contract signs with the key that the contract accepts (ERC-1271)", async () => {
    const chain = connectChain(local.network);
    const stream = { id: 7n, ratePerSecond: 1_000n, offer: { id: 1, owner: contract, signer: undefined } as Partial<Offer> } as OpenStream;
    const terms = { streamId: 7n, owed: 4_200n };
    const signed = { ...terms, signature: await signSettlement(key, domainOf(chain), terms) };
    await verifySettlement(chain, stream, signed);
    await expect(verifySettlement(chain, stream, { ...signed, owed: 4_201n })).rejects.toMatchObject({ code: "PROVIDER_DISHONEST" });
    const forged = { ...terms, signature: await signSettlement(stranger, domainOf(chain), terms) };
    await expect(verifySettlement(chain, stream, forged)).rejects.toMatchObject({ code: "PROVIDER_DISHONEST" });
  });
});
