import type { Chain } from "@clawcompute/lib/chain";
import { PERMIT2_ADDRESS } from "@clawcompute/lib/protocol/payments";
import { x402ExactPermit2ProxyAddress } from "@x402/evm";
import { type Address, isAddressEqual, parseAbi, zeroAddress, zeroHash } from "viem";

/** What a token lets its holders do without gas. */
export interface TokenFacts {
  /** Of its EIP-712 domain. */
  readonly name: string;
  readonly version: string;
  readonly eip3009: boolean;
  readonly permit2: boolean;
  /** By the contract through which x402 uses Permit2. */
  readonly x402Permit2: boolean;
}

export type Tokens = (asset: Address) => Promise<TokenFacts>;

const abi = parseAbi([
  "function name() view returns (string)",
  "function version() view returns (string)",
  "function authorizationState(address,bytes32) view returns (bool)",
]);
const NATIVE: TokenFacts = { name: "", version: "", eip3009: false, permit2: false, x402Permit2: false };

/** Asked once for each token; a failed question is asked again. */
export function createTokens({ client }: Chain): Tokens {
  const known = new Map<string, Promise<TokenFacts>>();

  async function ask(address: Address): Promise<TokenFacts> {
    const token = { address, abi } as const;
    const [name, version, eip3009, code, proxy] = await Promise.all([
      client.readContract({ ...token, functionName: "name" }).catch(() => ""),
      client.readContract({ ...token, functionName: "version" }).catch(() => "1"),
      client.readContract({ ...token, functionName: "authorizationState", args: [address, zeroHash] }).then(
        () => true,
        () => false,
      ),
      client.getCode({ address: PERMIT2_ADDRESS }),
      client.getCode({ address: x402ExactPermit2ProxyAddress }),
    ]);
    const [permit2, hasProxy] = [code, proxy].map((found) => found !== undefined && found !== "0x") as [boolean, boolean];
    return { name, version, eip3009, permit2, x402Permit2: permit2 && hasProxy };
  }

  return (asset) => {
    if (isAddressEqual(asset, zeroAddress)) return Promise.resolve(NATIVE);
    const existing = known.get(asset.toLowerCase());
    if (existing) return existing;
    const asked = ask(asset);
    known.set(asset.toLowerCase(), asked);
    asked.catch(() => known.delete(asset.toLowerCase()));
    return asked;
  };
}
