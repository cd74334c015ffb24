import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { connectChain } from "@clawcompute/lib/chain";
import { networkOf } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import { setAside, startChain } from "./chain.ts";
import { type Child, logTail } from "./children.ts";
import { buildDashboard, startDashboard } from "./dashboard.ts";
import { isOurs, type NetworkRecord, openNetworkFile } from "./networkFile.ts";
import { choosePort } from "./ports.ts";
import { providerPlans, startProvider, writeModels } from "./providers.ts";
import { failure, untilReady } from "./ready.ts";
import type { Report } from "./report.ts";
import { type SeedSize, seed } from "./seed.ts";
import { startGateway, startIndexer, startKeeper } from "./services.ts";
import { beginStore, storeTemplate } from "./storeTemplate.ts";

export const wantedPorts = { chain: 8545, gateway: 8700, keeper: 8710, indexer: 8790, dashboard: 3000 } as const;

export interface NetworkOptions {
  /** The checkout. */
  readonly root: string;
  /** Holds state, models, logs and network.json. */
  readonly folder: string;
  /** Any free ports instead of the usual ones. */
  readonly freePorts: boolean;
  /** The chain goes on where it was at the next start. */
  readonly keepState: boolean;
  /** Begin with a new chain. */
  readonly fresh: boolean;
  /** Fills the market with providers that answer nobody, and streams. */
  readonly seed?: SeedSize | undefined;
  readonly dashboard: boolean;
  readonly report: Report;
  /** Aborts a start that is under way. */
  readonly signal: AbortSignal;
}

/** A part that ended by itself. */
export interface Loss {
  readonly name: string;
  readonly how: string;
  readonly logPath: string;
  readonly logTail: string;
  /** Nothing works without it. */
  readonly isFatal: boolean;
}

export interface RunningNetwork {
  readonly record: NetworkRecord;
  readonly parts: readonly Child[];
  /** Called once for each part that ends by itself, also for those that did before. */
  onLoss(listener: (loss: Loss) => void): void;
  /** Ends every part, the chain last. */
  stop(): Promise<void>;
  kill(): void;
}

/** Throws ALREADY_RUNNING when this folder's network runs; otherwise resolves when every part is ready, or ends what it started and throws. */
export async function startNetwork(options: NetworkOptions): Promise<RunningNetwork> {
  const { root, folder, freePorts, keepState, report } = options;
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, broken.signal]);
  const file = openNetworkFile(join(folder, "network.json"));
  await claim(file, root, report);

  const parts: Child[] = [];
  let chainPid: number | undefined;
  let stopping = false;
  const losses: Loss[] = [];
  const listeners: ((loss: Loss) => void)[] = [];
  const pids = () => ({
    ...Object.fromEntries(parts.map(({ name, pid }) => [name, pid])),
    ...(chainPid ? { "chain engine": chainPid } : {}),
  });
  const keep = (record: Partial<NetworkRecord> = {}) =>
    file.write({ status: "starting", launcherPid: process.pid, pids: pids(), ...record });
  const add = (child: Child): Child => {
    parts.push(child);
    keep();
    child.exited.then((how) => {
      if (stopping || !parts.includes(child)) return;
      broken.abort(failure(child, `ended while the network started (${how})`));
      const loss = { name: child.name, how, logPath: child.logPath, logTail: logTail(child.logPath), isFatal: child.name === "chain" };
      losses.push(loss);
      for (const listener of listeners) listener(loss);
    });
    return child;
  };
  const drop = (child: Child) => void parts.splice(parts.indexOf(child), 1);
  const kill = () => {
    stopping = true;
    for (const part of parts) part.kill();
    file.remove();
  };
  const stop = async () => {
    stopping = true;
    const chain = parts.find(({ name }) => name === "chain");
    // The gateway ends its streams, for which it needs the providers' signatures and the chain.
    await parts.find(({ name }) => name === "gateway")?.stop(chain?.isRunning() ? 30_000 : 2_000);
    await Promise.all(parts.filter((part) => part !== chain).map((part) => part.stop()));
    await chain?.stop();
    file.remove();
  };

  const logsFolder = join(folder, "logs");
  const where = { cwd: root, logsFolder };
  const models = join(folder, "models");
  const kept = {
    providers: join(folder, "providers"),
    keeper: join(folder, "keeper"),
    indexer: join(folder, "indexer"),
    gateway: join(folder, "gateway"),
    receipts: join(folder, "receipts.jsonl"),
  };
  const savedPath = join(folder, "chain-state.json");
  const statePath = keepState ? savedPath : undefined;
  const belongings = Object.values(kept);
  const portFor = async (wanted: number) => {
    const { port, moved } = await choosePort(freePorts ? 0 : wanted);
    if (moved) report.line(`  port ${wanted} is taken by another program: using ${port} instead`);
    return port;
  };

  try {
    if ((options.fresh || options.seed) && existsSync(savedPath))
      report.line(`  a new chain; the old one is in ${setAside({ statePath: savedPath, belongings })}`);
    let rpcUrl = "";
    let chainId = 0;
    // The page is built beside everything else: it takes longest, and needs only the sources.
    const built = options.dashboard
      ? report.step("dashboard", "building", async () =>
          (await buildDashboard(where, signal)) ? "built" : "built before, sources unchanged",
        )
      : Promise.resolve();
    built.catch(() => {}); // awaited below; a failure elsewhere must not leave it unhandled
    const template = storeTemplate(root, signal);
    template.catch(() => {});

    await report.step("chain", "starting", async () => {
      const port = await portFor(wantedPorts.chain);
      const { ready, restarted } = await startChain({ ...where, port, statePath, belongings, onStarted: add, onGivenUp: drop });
      ({ rpcUrl, chainId } = ready);
      chainPid = ready.pid;
      keep();
      if (restarted) report.line(`  a new chain was begun: ${restarted}`);
      return `${ready.engine} at ${rpcUrl}, a block each second, contracts deployed${ready.forgets && keepState ? "; keeps no state" : ""}`;
    });
    signal.throwIfAborted();
    const { seed: size } = options;
    if (size) {
      await report.step("seed", "registering providers, opening streams", async () => {
        const chain = connectChain(networkOf({ name: "local", rpcUrls: [rpcUrl] }));
        await seed({ chain, ...size, signal, mine: () => chain.client.request({ method: "evm_mine" } as never) });
        return `${size.providers} providers that answer nobody, ${size.streams} streams`;
      });
    }
    await report.step("models", "generating", async () => `${(await writeModels(models)).join(" and ")} generated in ${models}`);

    const urlOf = (port: number) => `http://127.0.0.1:${port}`;
    const ports = {
      gateway: await portFor(wantedPorts.gateway),
      keeper: await portFor(wantedPorts.keeper),
      indexer: await portFor(wantedPorts.indexer),
      dashboard: options.dashboard ? await portFor(wantedPorts.dashboard) : undefined,
    };
    const providerPorts: number[] = [];
    for (const { port } of providerPlans) providerPorts.push(await portFor(port));
    const claw = { ...where, rpcUrl };
    const indexerUrl = urlOf(ports.indexer);
    const storeIn = async (dataFolder: string) => {
      beginStore(await template, dataFolder);
      return dataFolder;
    };
    await Promise.all([
      ...providerPlans.map((plan, index) =>
        report.step(plan.model, "starting", async () => {
          const port = providerPorts[index] as number;
          const dataFolder = await storeIn(join(kept.providers, plan.model));
          const child = add(await startProvider({ ...claw, plan, port, modelsFolder: models, dataFolder }));
          await untilReady(child, `${urlOf(port)}/ready`, signal);
          return `provider at ${urlOf(port)}, ${plan.price} ETH/s, ${plan.backend === "llama" ? "a real tiny model" : "repeats what it is told"}`;
        }),
      ),
      report.step("keeper", "starting", async () => {
        const child = add(await startKeeper({ ...claw, port: ports.keeper, dataDir: kept.keeper, indexerUrl }));
        await untilReady(child, `${urlOf(ports.keeper)}/health`, signal);
        return `settles streams every 10 s, metrics at ${urlOf(ports.keeper)}/metrics`;
      }),
      report.step("indexer", "starting", async () => {
        const child = add(await startIndexer({ ...claw, port: ports.indexer, dataFolder: await storeIn(kept.indexer) }));
        await untilReady(child, `${indexerUrl}/ready`, signal);
        return `history of the chain at ${indexerUrl}/v1, described in ${indexerUrl}/openapi.json`;
      }),
      report.step("gateway", "starting", async () => {
        const options = { port: ports.gateway, dataFolder: await storeIn(kept.gateway), receiptsFile: kept.receipts };
        await untilReady(add(await startGateway({ ...claw, ...options })), `${urlOf(ports.gateway)}/health`, signal);
        return `OpenAI API at ${urlOf(ports.gateway)}/v1, Ollama API at ${urlOf(ports.gateway)}`;
      }),
      (async () => {
        await built;
        const { dashboard: port } = ports;
        if (port === undefined) return;
        await report.step("dashboard", "starting", async () => {
          await untilReady(add(await startDashboard({ ...claw, port, indexerUrl })), urlOf(port), signal);
          return `page at ${urlOf(port)}`;
        });
      })(),
    ]);
    signal.throwIfAborted();
    const urls = {
      ...(ports.dashboard === undefined ? {} : { dashboard: urlOf(ports.dashboard) }),
      rpc: rpcUrl,
      gateway: urlOf(ports.gateway),
      indexer: indexerUrl,
      providers: providerPorts.map(urlOf),
    };
    const record: NetworkRecord = { status: "ready", launcherPid: process.pid, pids: pids(), chainId, rpcUrl, urls };
    keep(record);
    const onLoss = (listener: (loss: Loss) => void) => {
      listeners.push(listener);
      for (const loss of losses) listener(loss);
    };
    return { record, parts, onLoss, stop, kill };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

async function claim(file: ReturnType<typeof openNetworkFile>, root: string, report: Report): Promise<void> {
  while (!file.claim()) {
    const other = file.read();
    if (other && isOurs(other.launcherPid, root)) throw alreadyRunning(other);
    await endLeftovers(other, root, report);
    file.remove();
  }
}

/** A start that was killed could not end its parts: they are ended here, by their ids, if they are still ours. */
export async function endLeftovers(record: NetworkRecord | undefined, root: string, report: Report): Promise<void> {
  const alive = Object.entries(record?.pids ?? {}).filter(([, pid]) => isOurs(pid, root));
  for (const [name, pid] of alive) {
    report.line(`  ending ${name} (process ${pid}), which an earlier start left behind`);
    process.kill(pid, "SIGTERM");
  }
  const deadline = Date.now() + 10_000;
  while (alive.some(([, pid]) => isOurs(pid, root))) {
    if (Date.now() > deadline) {
      for (const [, pid] of alive) if (isOurs(pid, root)) process.kill(pid, "SIGKILL");
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function alreadyRunning({ status, launcherPid, urls }: NetworkRecord): AppError {
  const what = status === "ready" ? "already running" : "just being started";
  const where = urls ? [urls.dashboard, urls.gateway, urls.indexer, urls.rpc, ...urls.providers].filter((url) => url !== undefined) : [];
  return new AppError("ALREADY_RUNNING", `The local network is ${what} (process ${launcherPid}).`, {
    facts: { launcherPid, urls: where },
    hint: "End it with Ctrl-C where it runs, or with: npm start -- --stop",
  });
}

export const removeFolder = (folder: string) => rmSync(folder, { recursive: true, force: true });
