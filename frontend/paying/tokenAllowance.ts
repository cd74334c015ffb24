import { streamPayAbi } from "@clawcompute/lib/abi";
import { type ContractCall, chainTimeMs, decodeRevert } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { type Abi, type Address, erc20Abi, type Hex, parseAbi, parseSignature } from "viem";
import type { Payer } from "./payment.ts";
import { refusalOf, sendByWallet } from "./walletCall.ts";

const permitAbi = parseAbi([
  "function nonces(address owner) view returns (uint256)",
  "function DOMAIN_SEPARATOR() view returns (bytes32)",
  "function eip712Domain() view returns (bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)",
]);
const PERMIT_SECONDS = 1200;

export interface Permit {
  readonly deadline: bigint;
  readonly signature: Hex;
}

/**
 * Lets StreamPay take exactly this amount: nothing to do where it may already, a signature where the token knows permits (EIP-2612 with
 * EIP-5267's domain), else an approval, awaited. Throws WALLET_UNFUNDED when the wallet holds less.
 */
export async function allowByWallet(payer: Payer, asset: Address, amount: bigint, onAsk: () => void): Promise<Permit | undefined> {
  if (await isAllowed(payer, asset, amount)) return undefined;
  onAsk();
  const permit = await signPermit(payer, asset, amount);
  if (permit) return permit;
  await approve(payer, asset, amount);
  return undefined;
}

/** The same without permits: for calls that take none. */
export async function approveByWallet(payer: Payer, asset: Address, amount: bigint): Promise<void> {
  if (!(await isAllowed(payer, asset, amount))) await approve(payer, asset, amount);
}

async function isAllowed({ chain, wallet }: Payer, asset: Address, amount: bigint): Promise<boolean> {
  const { client, network } = chain;
  const owner = wallet.account.address;
  const token = { address: asset, abi: erc20Abi } as const;
  const [held, allowed] = await Promise.all([
    client.readContract({ ...token, functionName: "balanceOf", args: [owner] }),
    client.readContract({ ...token, functionName: "allowance", args: [owner, network.contracts.streamPay] }),
  ]).catch((thrown) => {
    throw decodeRevert(thrown);
  });
  if (held >= amount) return allowed >= amount;
  throw new AppError("WALLET_UNFUNDED", "The wallet holds less of this token than the deposit.", {
    facts: { asset, held: String(held), needed: String(amount) },
    hint: "Send the token to this wallet, or deposit for less time.",
  });
}

async function approve({ chain, wallet }: Payer, asset: Address, amount: bigint): Promise<void> {
  const args = [chain.network.contracts.streamPay, amount];
  const approval: ContractCall = { contract: asset, abi: erc20Abi as Abi, functionName: "approve", args };
  await sendByWallet(chain, wallet, approval);
}

/** Undefined where the token has no permits that a page can know how to sign, or the wallet is a contract, which permits exclude. */
async function signPermit({ chain, wallet }: Payer, asset: Address, value: bigint): Promise<Permit | undefined> {
  const { account } = wallet;
  const { client, network } = chain;
  const token = { address: asset, abi: permitAbi } as const;
  const known = await Promise.all([
    client.readContract({ ...token, functionName: "nonces", args: [account.address] }),
    client.readContract({ ...token, functionName: "eip712Domain" }),
    client.readContract({ ...token, functionName: "DOMAIN_SEPARATOR" }),
    client.getCode({ address: account.address }),
  ]).catch(() => undefined);
  if (!known || (known[3] !== undefined && known[3] !== "0x")) return undefined;
  const [nonce, [, name, version]] = known;
  const deadline = BigInt(Math.floor((await chainTimeMs(chain)) / 1000) + PERMIT_SECONDS);
  try {
    const signature = await wallet.signTypedData({
      account,
      domain: { name, version, chainId: network.chainId, verifyingContract: asset },
      types: {
        Permit: [
          { name: "owner", type: "address" },
          { name: "spender", type: "address" },
          { name: "value", type: "uint256" },
          { name: "nonce", type: "uint256" },
          { name: "deadline", type: "uint256" },
        ],
      },
      primaryType: "Permit",
      message: { owner: account.address, spender: network.contracts.streamPay, value, nonce, deadline },
    });
    return { deadline, signature };
  } catch (thrown) {
    throw refusalOf(thrown) ?? AppError.from(thrown);
  }
}

interface TokenStream {
  readonly asset: Address;
  readonly amount: bigint;
  readonly recipient: Address;
  readonly durationSeconds: number;
  readonly serviceType: number;
  readonly providerId: number;
}

/** Opens with the permit's signature: allowance and stream in one transaction. */
export function tokenCall(stream: TokenStream, { deadline, signature }: Permit): ContractCall {
  const { asset, amount, recipient, durationSeconds, serviceType, providerId } = stream;
  const { r, s, yParity } = parseSignature(signature);
  return {
    contract: "streamPay",
    abi: streamPayAbi as Abi,
    functionName: "createStreamWithPermit",
    args: [asset, amount, recipient, BigInt(durationSeconds), serviceType, BigInt(providerId), deadline, 27 + yParity, r, s],
  };
}
