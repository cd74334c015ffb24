import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Artifacts, type Chain, codeMatches, currentFees, type DeploymentStep, planDeployment } from "@clawcompute/lib/chain";
import type { ChainParameters, Contracts } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import { getAddress, type LocalAccount, type PublicClient, zeroAddress } from "viem";

type Connection = Omit<Chain, "network">;

interface Sending {
  readonly chain: Connection;
  readonly parameters: ChainParameters;
  readonly account: LocalAccount;
  readonly steps: readonly DeploymentStep[];
  readonly gas: readonly bigint[];
  readonly say: (line: string) => void;
}

/** Sends the creations one after the other, each confirmed before the next. Returns the block of the first. */
export async function sendDeployment({ chain, parameters, account, steps, gas, say }: Sending): Promise<bigint> {
  let firstBlock: bigint | undefined;
  for (const [index, { contractName, address, nonce, data }] of steps.entries()) {
    const fees = await currentFees(chain);
    const shared = { chainId: parameters.chainId, nonce, data, gas: ((gas[index] as bigint) * 12n) / 10n };
    const raw = await account.signTransaction(
      fees.kind === "legacy"
        ? { ...shared, type: "legacy", gasPrice: fees.gasPrice }
        : { ...shared, type: "eip1559", maxFeePerGas: fees.maxFeePerGas, maxPriorityFeePerGas: fees.maxPriorityFeePerGas },
    );
    const hash = await chain.client.sendRawTransaction({ serializedTransaction: raw });
    say(`${contractName}: transaction ${hash}…`);
    const receipt = await chain.client.waitForTransactionReceipt({ hash, confirmations: parameters.confirmations, timeout: 300_000 });
    if (receipt.status !== "success" || !receipt.contractAddress || getAddress(receipt.contractAddress) !== getAddress(address)) {
      throw new AppError("TRANSACTION_REVERTED", `${contractName} was not created at ${address}.`, {
        facts: {
          hash,
          created: receipt.contractAddress ?? null,
          done: steps.slice(0, index).map((step) => `${step.contractName} ${step.address}`),
        },
        hint: "Start again: all three must be created in a row, because they name each other.",
      });
    }
    firstBlock ??= receipt.blockNumber;
  }
  return firstBlock as bigint;
}

/** What is wrong with the code at these addresses; nothing, if it is the compiled code and the contracts name each other. */
export async function checkDeployment(client: PublicClient, artifacts: Artifacts, at: Contracts): Promise<string[]> {
  const wrong: string[] = [];
  for (const contract of ["registry", "streamPay", "paymentChannel"] as const) {
    if (!codeMatches(await client.getCode({ address: at[contract] }), artifacts[contract]))
      wrong.push(`other code at ${contract} ${at[contract]}`);
  }
  if (wrong.length) return wrong;
  const links = [
    ["registry", "streamPay", at.streamPay],
    ["registry", "paymentChannel", at.paymentChannel],
    ["streamPay", "registry", at.registry],
    ["paymentChannel", "registry", at.registry],
  ] as const;
  for (const [contract, getter, expected] of links) {
    const named = await client.readContract({ address: at[contract], abi: artifacts[contract].abi, functionName: getter });
    if (getAddress(named as `0x${string}`) !== getAddress(expected)) wrong.push(`${contract} names ${String(named)} as ${getter}`);
  }
  return wrong;
}

/** Publishes sources and constructor arguments with Hardhat's verify, for the chain behind the RPC URL. Throws CONFIG_INVALID without an API key. */
export async function verifyOnExplorer(
  parameters: ChainParameters,
  artifacts: Artifacts,
  at: Contracts,
  env: Readonly<Record<string, string | undefined>>,
  say: (line: string) => void,
): Promise<void> {
  if (!env.ETHERSCAN_API_KEY) {
    throw new AppError("CONFIG_INVALID", "ETHERSCAN_API_KEY: is required for --verify.", {
      param: "ETHERSCAN_API_KEY",
      hint: "A key from etherscan.io is good for every chain it knows, BNB Smart Chain included.",
    });
  }
  const [registry, streamPay, paymentChannel] = planDeployment(zeroAddress, 0, artifacts);
  const steps = [
    { ...registry, address: at.registry, constructorArgs: [at.streamPay, at.paymentChannel] },
    { ...streamPay, address: at.streamPay, constructorArgs: [at.registry] },
    { ...paymentChannel, address: at.paymentChannel, constructorArgs: [at.registry] },
  ];
  const require = createRequire(import.meta.url);
  const hardhat = require.resolve("hardhat/package.json");
  const cli = join(dirname(hardhat), (require(hardhat) as { bin: { hardhat: string } }).bin.hardhat);
  const config = fileURLToPath(new URL("./hardhat.verify.config.ts", import.meta.url));
  for (const { address, constructorArgs, contractName } of steps) {
    say(`publishing the source of ${contractName}…`);
    const args = [cli, "--config", config, "verify", "etherscan", "--network", "explorer", address, ...constructorArgs];
    const code = await run(process.execPath, args, { ...env, RPC_URL: parameters.rpcUrls[0] ?? "" });
    if (code !== 0)
      throw new AppError("UPSTREAM_FAILED", `${contractName} at ${address} could not be verified.`, {
        hint: "What the explorer said is above. Run it again with --verify alone.",
      });
  }
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    const child = spawn(command, args, { cwd, env: { ...env, HARDHAT_DISABLE_TELEMETRY_PROMPT: "true" }, stdio: ["ignore", 2, 2] });
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
