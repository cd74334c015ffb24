import { type Abi, type Address, encodeDeployData, getContractAddress, type Hex } from "viem";
import type { Contracts } from "../config/network.ts";

/** What the compiler left behind for one contract. */
export interface Artifact {
  readonly contractName: string;
  readonly abi: Abi;
  readonly bytecode: Hex;
  readonly deployedBytecode: Hex;
  readonly immutableReferences: Readonly<Record<string, readonly { readonly start: number; readonly length: number }[]>>;
}

export type Artifacts = Readonly<Record<keyof Contracts, Artifact>>;

export interface DeploymentStep {
  readonly contract: keyof Contracts;
  readonly contractName: string;
  readonly address: Address;
  readonly nonce: number;
  readonly constructorArgs: readonly Address[];
  /** Creation code with the constructor's arguments. */
  readonly data: Hex;
}

/**
 * The three creations in their order. The registry must name the payment contracts and they must name it, so all addresses are
 * computed beforehand from the deployer's nonce; nothing else may be sent with this key meanwhile.
 */
export function planDeployment(deployer: Address, firstNonce: number, artifacts: Artifacts): DeploymentStep[] {
  const addressAt = (offset: number) => getContractAddress({ from: deployer, nonce: BigInt(firstNonce + offset) });
  const [registry, streamPay, paymentChannel] = [addressAt(0), addressAt(1), addressAt(2)];
  const step = (contract: keyof Contracts, offset: number, constructorArgs: readonly Address[]): DeploymentStep => {
    const { contractName, abi, bytecode } = artifacts[contract];
    const data = encodeDeployData({ abi, bytecode, args: constructorArgs });
    return { contract, contractName, address: addressAt(offset), nonce: firstNonce + offset, constructorArgs, data };
  };
  return [step("registry", 0, [streamPay, paymentChannel]), step("streamPay", 1, [registry]), step("paymentChannel", 2, [registry])];
}

/** Whether code on a chain is what was compiled here; values that the constructor fixes are left out of the comparison. */
export function codeMatches(code: Hex | undefined, { deployedBytecode, immutableReferences }: Artifact): boolean {
  if (code === undefined || code.length !== deployedBytecode.length) return false;
  const [found, compiled] = [code.slice(2).toLowerCase().split(""), deployedBytecode.slice(2).toLowerCase().split("")];
  for (const { start, length } of Object.values(immutableReferences).flat()) {
    for (let at = start * 2; at < (start + length) * 2; at += 1) found[at] = compiled[at] = "0";
  }
  return found.join("") === compiled.join("");
}
