// Deploys the three contracts, checks what is on chain against what was compiled, and writes the committed addresses.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type Artifacts,
  connect,
  currentFees,
  type DeploymentStep,
  planDeployment,
  refuseDevKeyOnPublicChain,
} from "@clawcompute/lib/chain";
import { readSettings } from "@clawcompute/lib/config/env";
import { chainParametersOf, readNetworkSettings } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import { devAccounts, readArtifacts } from "@clawcompute/lib/testing";
import { type Address, isAddress, type LocalAccount } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { askPassword } from "../agents/wallet/askPassword.ts";
import { decryptKey } from "../agents/wallet/keystore.ts";
import { readPassword, readWalletFile } from "../agents/wallet/unlock.ts";
import { runScript, table } from "./chainScript.ts";
import { deploySettings } from "./deploySettings.ts";
import { checkDeployment, sendDeployment, verifyOnExplorer } from "./deploySteps.ts";

const addressesFile = fileURLToPath(new URL("../lib/config/addresses.json", import.meta.url));

const help = `
deploy: put ComputeRegistry, StreamPay and PaymentChannel on a chain

  DEPLOYER_PRIVATE_KEY=… node scripts/deploy.ts --network bsc-testnet [--send] [--verify]

On a public chain it only shows what it would do, unless --send is given. The key comes from DEPLOYER_PRIVATE_KEY or from
the wallet file DEPLOYER_WALLET_FILE (password: WALLET_PASSWORD_FILE, WALLET_PASSWORD, or asked for), never from the command line;
on a local chain it defaults to the first development account. Build the contracts first (hardhat build).

  --from ADDRESS    show the plan for this account, without a key
  --send            deploy
  --again           deploy although the committed addresses hold these contracts already
  --verify          publish the sources on the explorer afterwards (ETHERSCAN_API_KEY); works alone for what is deployed already
  --addresses FILE  where the addresses are written (default lib/config/addresses.json)`;

const options = {
  from: { type: "string" },
  send: { type: "boolean" },
  again: { type: "boolean" },
  verify: { type: "boolean" },
  addresses: { type: "string" },
} as const;

await runScript(help, options, async ({ flags, env, print, say }) => {
  const values = readNetworkSettings(env);
  const { network: name, rpcUrls, chainId } = values;
  const parameters = chainParametersOf({ name, ...(rpcUrls && { rpcUrls }), ...(chainId && { chainId }) });
  const chain = connect(parameters);
  const found = await chain.client.getChainId().catch((cause) => {
    throw new AppError("CHAIN_UNAVAILABLE", `The RPC endpoint of ${parameters.name} does not answer.`, { cause });
  });
  if (found !== parameters.chainId) {
    throw new AppError("CHAIN_MISMATCH", `The RPC endpoint answers for chain ${found}, not ${parameters.chainId}.`, {
      facts: { expected: parameters.chainId, found },
    });
  }
  const file = typeof flags.addresses === "string" ? flags.addresses : addressesFile;
  const artifacts = readArtifacts();
  const committed = readAddresses(file)[String(parameters.chainId)];
  const standing = committed && (await checkDeployment(chain.client, artifacts, committed)).length === 0;
  if (committed && standing && !flags.again) {
    if (flags.verify) await verifyOnExplorer(parameters, artifacts, committed, env, say);
    return print([`Already deployed on ${parameters.name}, and it is what was compiled here:`, ...describe(committed)], {
      chainId: parameters.chainId,
      deployed: true,
      sent: false,
      ...committed,
    });
  }

  const { account, deployer } = await deployerOf(env, flags.from, parameters.isLocal);
  refuseDevKeyOnPublicChain(parameters, deployer);
  const [nonce, pending, balance, fees] = await Promise.all([
    chain.client.getTransactionCount({ address: deployer }),
    chain.client.getTransactionCount({ address: deployer, blockTag: "pending" }),
    chain.client.getBalance({ address: deployer }),
    currentFees(chain),
  ]);
  if (pending !== nonce) {
    throw new AppError(
      "TRANSACTION_UNCERTAIN",
      `${deployer} has ${pending - nonce} transactions under way; the addresses cannot be computed.`,
      {
        hint: "Wait until they are mined. Use an account for deploying only.",
      },
    );
  }
  const steps = planDeployment(deployer, nonce, artifacts);
  const gas = await Promise.all(steps.map(({ data }) => chain.client.estimateGas({ account: deployer, data })));
  const totalGas = gas.reduce((sum, one) => sum + one, 0n);
  const cost = totalGas * fees.expected;
  const { nativeSymbol } = parameters;
  const lines = [
    `${parameters.name} (chain ${parameters.chainId}), from ${deployer}, nonce ${nonce}`,
    ...table(
      ["contract", "address", "gas"],
      steps.map((step, index) => [step.contractName, step.address, String(gas[index])]),
    ),
    `gas ${totalGas} at ${formatAmount(fees.expected, 9)} gwei = ${formatAmount(cost)} ${nativeSymbol}; balance ${formatAmount(balance)} ${nativeSymbol}`,
  ];
  const plan = { chainId: parameters.chainId, deployer, nonce, gas: totalGas, costWei: cost, balanceWei: balance, ...addressesOf(steps) };
  if (!flags.send && !parameters.isLocal) {
    return print([...lines, "Nothing was sent: this is a plan. Add --send to deploy."], { ...plan, deployed: false, sent: false });
  }
  if (!account)
    throw new AppError("WALLET_MISSING", "There is no key to deploy with.", {
      param: "DEPLOYER_PRIVATE_KEY",
      hint: "Set DEPLOYER_PRIVATE_KEY.",
    });
  const needed = cost * 2n;
  if (balance < needed) {
    throw new AppError("WALLET_UNFUNDED", `${deployer} cannot pay for the deployment.`, {
      facts: { address: deployer, balanceWei: String(balance), neededWei: String(needed) },
      hint: `Send at least ${formatAmount(needed - balance)} ${nativeSymbol} to it.`,
    });
  }
  for (const line of lines) say(line);
  const firstBlock = await sendDeployment({ chain, parameters, account, steps, gas, say });
  const deployed = { ...addressesOf(steps), deployBlock: Number(firstBlock) };
  const wrong = await checkDeployment(chain.client, artifacts, deployed);
  if (wrong.length)
    throw new AppError("CONTRACT_MISSING", `What is on chain is not what was compiled: ${wrong.join("; ")}.`, { facts: { wrong } });
  const written = writeAddresses(file, parameters.chainId, deployed);
  if (flags.verify) await verifyOnExplorer(parameters, artifacts, deployed, env, say);
  print(
    [
      "Deployed, and the code on chain is what was compiled here:",
      ...describe(deployed),
      written ? `written to ${file}` : `${file} names them already`,
    ],
    {
      ...plan,
      ...deployed,
      deployed: true,
      sent: true,
      written,
    },
  );
});

type Deployed = { registry: Address; streamPay: Address; paymentChannel: Address; deployBlock: number };

type Env = Readonly<Record<string, string | undefined>>;

async function deployerOf(env: Env, from: unknown, isLocal: boolean): Promise<{ account: LocalAccount | undefined; deployer: Address }> {
  if (from !== undefined && (typeof from !== "string" || !isAddress(from, { strict: false }))) {
    throw new AppError("BAD_ADDRESS", `--from: ${String(from)} is no address.`, { param: "from" });
  }
  const { key, walletFile } = readSettings(deploySettings, env);
  if (key) return deploying(privateKeyToAccount(key));
  if (from !== undefined) return { account: undefined, deployer: from as Address };
  if (walletFile) {
    const keystore = readWalletFile(walletFile);
    const password = await readPassword(env, askPassword, "Password of the deployer's wallet: ");
    return deploying(privateKeyToAccount(await decryptKey(keystore, password)));
  }
  if (isLocal) return deploying(devAccounts[0] as LocalAccount);
  throw new AppError("WALLET_MISSING", "There is no account to deploy from.", {
    param: "DEPLOYER_PRIVATE_KEY",
    hint: "Set DEPLOYER_PRIVATE_KEY or DEPLOYER_WALLET_FILE, or give --from ADDRESS to see the plan.",
  });
}

function deploying(account: LocalAccount) {
  return { account, deployer: account.address };
}

function addressesOf(steps: readonly DeploymentStep[]): Record<keyof Artifacts, Address> {
  return Object.fromEntries(steps.map(({ contract, address }) => [contract, address])) as Record<keyof Artifacts, Address>;
}

function describe({ registry, streamPay, paymentChannel, deployBlock }: Deployed): string[] {
  return [
    `  ComputeRegistry  ${registry}`,
    `  StreamPay        ${streamPay}`,
    `  PaymentChannel   ${paymentChannel}`,
    `  since block ${deployBlock}`,
  ];
}

function readAddresses(file: string): Record<string, Deployed> {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, Deployed>;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new AppError("CONFIG_INVALID", `${file} is not readable as JSON.`, { param: "addresses", cause });
  }
}

/** False when the file names these addresses already: a new local chain gets the same ones, and nothing changes in the repository. */
function writeAddresses(file: string, chainId: number, deployed: Deployed): boolean {
  const all = readAddresses(file);
  const before = all[String(chainId)];
  const same = (["registry", "streamPay", "paymentChannel"] as const).every(
    (name) => before?.[name].toLowerCase() === deployed[name].toLowerCase(),
  );
  if (same && (before?.deployBlock ?? 0) <= deployed.deployBlock) return false;
  const sorted = Object.fromEntries(Object.entries({ ...all, [chainId]: deployed }).sort(([a], [b]) => Number(a) - Number(b)));
  writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
  return true;
}
