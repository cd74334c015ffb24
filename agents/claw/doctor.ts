import { statSync } from "node:fs";
import { assertChain, type Chain, connectChain, listActiveOffers, type Offer } from "@clawcompute/lib/chain";
import type { Network } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import { createDialer } from "@clawcompute/lib/node";
import { type Address, zeroAddress } from "viem";
import type { CommandContext } from "../command.ts";
import { exitCodeOf, exitCodes } from "../exitCodes.ts";
import { type GatewayConfig, readConfig } from "../gateway/config.ts";
import { findStreams, lookBackBlock } from "../gateway/orphans.ts";
import { preflight } from "../gateway/preflight.ts";
import { createProviderClient } from "../gateway/providerClient.ts";
import { printable, printableName } from "../terminal.ts";
import { walletAddressOf } from "../wallet/main.ts";

/** One thing that has to be right for paying and being answered. */
export interface Finding {
  readonly name: string;
  readonly status: "good" | "warning" | "bad" | "skipped";
  readonly detail: string;
  /** What to do about it; undefined when nothing has to be done. */
  readonly fix?: string | undefined;
  /** The error's stable code. */
  readonly code?: string | undefined;
}

export interface DoctorSurroundings {
  readonly now: () => number;
  readonly nodeVersion: string;
}

/** Chain time and this machine's may differ this much: proofs are refused beyond 30 s. */
const CLOCK_WARNING_MS = 15_000;
const CLOCK_LIMIT_MS = 30_000;
const MAX_PROVIDERS = 8;
/** Gas of opening and ending a stream, generously. */
const GAS_OF_A_STREAM = 250_000n;

/** `claw doctor`: looks at everything that a paid answer needs; the exit code is that of the first thing that is wrong. */
export async function doctorMain(context: CommandContext, surroundings: DoctorSurroundings): Promise<number> {
  const { terminal, json } = context;
  const findings: Finding[] = [];
  for await (const finding of examine(context, surroundings)) {
    findings.push(finding);
    if (!json) terminal.out(lineOf(finding));
  }
  const bad = findings.find(({ status }) => status === "bad");
  if (json) terminal.out(`${JSON.stringify({ healthy: bad === undefined, findings })}\n`);
  else terminal.out(bad ? `\nNot ready: ${bad.name}.\n` : "\nReady to ask.\n");
  return bad ? exitCodeOf(new AppError(bad.code ?? "INTERNAL", bad.detail)) : exitCodes.done;
}

async function* examine({ env }: CommandContext, { now, nodeVersion }: DoctorSurroundings): AsyncGenerator<Finding> {
  yield checkNode(nodeVersion);
  let config: GatewayConfig;
  try {
    config = readConfig(env);
    yield { name: "settings", status: "good", detail: `network ${config.network.name}, chain ${config.network.chainId}` };
  } catch (thrown) {
    yield bad("settings", thrown);
    return;
  }
  const { network } = config;
  const chain = connectChain(network, { timeoutMs: 5_000 });
  const began = now();
  const chainError = await assertChain(chain).then(
    () => undefined,
    (thrown: unknown) => AppError.from(thrown),
  );
  if (chainError) yield bad("chain", chainError, chainFix(network, chainError));
  else {
    yield { name: "chain", status: "good", detail: `${network.rpcUrls.length} endpoint(s), contracts found, ${now() - began} ms` };
    yield await guarded("clock", () => checkClock(chain, now));
  }

  const wallet = readWallet(env);
  yield wallet.finding;
  if (chainError) {
    for (const name of ["clock", "funds", "providers", "streams"]) yield { name, status: "skipped", detail: "needs the chain" };
    return;
  }
  if (wallet.address) {
    const { address } = wallet;
    yield await guarded("funds", () => checkFunds(chain, address, config));
    yield await guarded("streams", () => checkStreams(chain, address, config));
  } else yield { name: "funds", status: "skipped", detail: "needs a wallet" };
  yield* await checkProviders(chain, config);
}

function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) return { name: "node", status: "good", detail: version };
  return {
    name: "node",
    status: "bad",
    code: "CONFIG_INVALID",
    detail: `${version} is too old`,
    fix: "Use Node.js 22.13 or newer, or run claw by `npm run claw`.",
  };
}

async function checkClock(chain: Chain, now: () => number): Promise<Finding> {
  const block = await chain.client.getBlock();
  const lagMs = now() - Number(block.timestamp) * 1000;
  const words = `the newest block (${block.number}) is ${(lagMs / 1000).toFixed(1)} s old by this machine's clock`;
  if (Math.abs(lagMs) <= CLOCK_WARNING_MS + chain.network.blockTimeMs) return { name: "clock", status: "good", detail: words };
  // Only chain time counts for payments: a wrong clock here misleads people, a stale endpoint loses money.
  const fix =
    lagMs > 0
      ? "Set this machine's clock; if it is right, the RPC endpoint lags: name another one in RPC_URL."
      : "Set this machine's clock.";
  return {
    name: "clock",
    status: Math.abs(lagMs) > CLOCK_LIMIT_MS && !chain.network.isLocal ? "bad" : "warning",
    code: "CHAIN_STALE",
    detail: words,
    fix,
  };
}

function readWallet(env: CommandContext["env"]): { address: Address | undefined; finding: Finding } {
  try {
    const { address, source, file } = walletAddressOf(env);
    const open = file !== undefined && process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0;
    const finding: Finding = open
      ? { name: "wallet", status: "warning", detail: `${address}; others may read ${file}`, fix: `chmod 600 ${file}` }
      : { name: "wallet", status: "good", detail: `${address} (${source})` };
    return { address, finding };
  } catch (thrown) {
    return { address: undefined, finding: bad("wallet", thrown) };
  }
}

async function checkFunds(chain: Chain, address: Address, { maxDeposit }: GatewayConfig): Promise<Finding> {
  const { nativeSymbol, name } = chain.network;
  const [balance, gasPrice] = await Promise.all([chain.client.getBalance({ address }), chain.client.getGasPrice()]);
  const gas = gasPrice * GAS_OF_A_STREAM;
  const held = `${formatAmount(balance)} ${nativeSymbol}`;
  if (balance >= maxDeposit + gas) return { name: "funds", status: "good", detail: held };
  const fix = `Send at least ${formatAmount(maxDeposit + gas - balance)} ${nativeSymbol} on ${name} to ${address}.`;
  if (balance > gas)
    return { name: "funds", status: "warning", detail: `${held}, less than a deposit of ${formatAmount(maxDeposit)} and its gas`, fix };
  return { name: "funds", status: "bad", code: "WALLET_UNFUNDED", detail: `${held}, not even the gas of a stream`, fix };
}

async function checkStreams(chain: Chain, address: Address, { lookBackSeconds }: GatewayConfig): Promise<Finding> {
  const open = await findStreams(chain, address, await lookBackBlock(chain, lookBackSeconds));
  if (open.length === 0) return { name: "streams", status: "good", detail: "none is open" };
  const ids = open.map(({ id }) => String(id)).join(", ");
  return {
    name: "streams",
    status: "warning",
    detail: `open: ${ids}`,
    fix: "If nothing uses them now, run `claw stop`: what was not served comes back.",
  };
}

async function checkProviders(chain: Chain, config: GatewayConfig): Promise<Finding[]> {
  const offers = await listActiveOffers(chain, { asset: zeroAddress }).catch((thrown: unknown) => AppError.from(thrown));
  if (offers instanceof AppError) return [bad("providers", offers)];
  if (offers.length === 0) {
    const fix = chain.network.isLocal
      ? "Start the local network with `npm start`, or a provider with `npm run provider`."
      : "Try again later, or serve a model yourself: `claw provider setup`.";
    return [{ name: "providers", status: "bad", code: "NO_PROVIDER", detail: "no active offer for the native coin", fix }];
  }
  const looked = await lookAt(chain, config, offers.slice(0, MAX_PROVIDERS));
  const there = looked.filter(({ status }) => status === "good");
  const [first] = looked;
  const summary: Finding =
    there.length > 0
      ? { name: "providers", status: "good", detail: `${offers.length} on offer, ${there.length} of the ${looked.length} cheapest answer` }
      : {
          name: "providers",
          status: "bad",
          code: first?.code ?? "PROVIDER_UNREACHABLE",
          detail: `none of the ${looked.length} cheapest answers`,
          fix:
            first?.code === "ENDPOINT_REFUSED"
              ? "For local development set ALLOW_PRIVATE_ENDPOINTS=1."
              : "Check this machine's connection; otherwise try again later.",
        };
  // One that is away is the market's business, not this machine's.
  return [
    summary,
    ...looked.map((finding): Finding => (finding.status === "bad" ? { ...finding, status: "warning", fix: undefined } : finding)),
  ];
}

async function lookAt(chain: Chain, { allowPrivate }: GatewayConfig, offers: readonly Offer[]): Promise<Finding[]> {
  const dialer = createDialer({ allowPrivate });
  const { nativeSymbol, chainId } = chain.network;
  try {
    return await Promise.all(
      offers.map(async (offer): Promise<Finding> => {
        const name = `provider ${offer.id}`;
        const began = performance.now();
        try {
          const client = createProviderClient(offer.endpoint, dialer);
          const { busy } = await preflight(client, offer, chainId, new AbortController().signal);
          const price = `${formatAmount(offer.pricePerSecond)} ${nativeSymbol}/s`;
          const ms = Math.round(performance.now() - began);
          return { name, status: "good", detail: `${printableName(offer.model)}, ${price}, ${ms} ms${busy ? ", busy now" : ""}` };
        } catch (thrown) {
          return bad(name, thrown);
        }
      }),
    );
  } finally {
    dialer.close();
  }
}

async function guarded(name: string, check: () => Promise<Finding>): Promise<Finding> {
  try {
    return await check();
  } catch (thrown) {
    return bad(name, thrown);
  }
}

function bad(name: string, thrown: unknown, fix?: string): Finding {
  const { code, message, hint } = AppError.from(thrown);
  return { name, status: "bad", code, detail: printable(message), fix: fix ?? hint };
}

function chainFix(network: Network, { code, hint }: AppError): string | undefined {
  if (code !== "CHAIN_UNAVAILABLE") return hint;
  return network.isLocal
    ? "Start the local network with `npm start`, or set RPC_URL."
    : "Check this machine's connection, or name another endpoint in RPC_URL.";
}

const marks = { good: "ok  ", warning: "note", bad: "BAD ", skipped: "-   " } as const;

const lineOf = ({ name, status, detail, fix }: Finding): string =>
  `${marks[status]}  ${name.padEnd(12)} ${detail}\n${fix ? `      ${"".padEnd(12)} fix: ${fix}\n` : ""}`;
