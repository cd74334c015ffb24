// npm run bench:payments [-- --requests 300]: what being paid costs a request, beside no payment and two stock servers, in one run.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent } from "node:http";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { connectChain, createSender, readOffer } from "@clawcompute/lib/chain";
import { createDialer, createLogger, steadyClock } from "@clawcompute/lib/node";
import { findSessionChallenge } from "@clawcompute/lib/protocol/payments";
import { devAccounts, startLocalChain } from "@clawcompute/lib/testing";
import { toClientEvmSigner } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { Credential, Method } from "mppx";
import { Mppx } from "mppx/client";
import type { Abi, Address, Hex, LocalAccount } from "viem";
import { createWalletClient, http, keccak256, publicActions, toHex, zeroHash } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { attemptLimits } from "../../agents/gateway/attempt.ts";
import { createChannelRail } from "../../agents/gateway/channels/channelRail.ts";
import { createClosings } from "../../agents/gateway/channels/closings.ts";
import { deriveVoucherKey } from "../../agents/gateway/channels/voucherKey.ts";
import { createProviderClient } from "../../agents/gateway/providerClient.ts";
import { createChannelPayer } from "../../agents/provider/testing/channelPayer.ts";
import { createPayer } from "../../agents/provider/testing/payer.ts";
import type { Pace } from "../proxy/load.ts";
import { type Asked, ask, bodyOf, inTurns, type Payee, quantile, throughput } from "./measure.ts";
import { sessionMethod, voucherDomain, voucherTypes } from "./sessionMethod.ts";

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
}

const here = import.meta.dirname;
const peer = join(here, "peer");
const root = join(here, "../..");
const { values } = parseArgs({ options: { requests: { type: "string", default: "300" } } });
const requests = Number(values.requests);
const PRICE = 1_000_000_000n;
const quick: Pace = { events: 5, firstMs: 0, gapMs: 0 };
const long: Pace = { events: 160, firstMs: 20, gapMs: 25 };

installPeers();
const folder = await mkdtemp(join(tmpdir(), "payments-bench-"));
const children: ChildProcess[] = [];
const chain = await startLocalChain({ blockTimeMs: 250 });
try {
  const [owner, payer, relayer] = [devAccounts[1], devAccounts[5], devAccounts[9]] as readonly LocalAccount[] as [
    LocalAccount,
    LocalAccount,
    LocalAccount,
  ];
  const upstream = await portOf([join(root, "benchmarks/proxy/upstream.ts")]);
  const unpaidPort = await portOf([join(root, "benchmarks/proxy/unpaid.ts"), String(upstream)]);
  const { found } = await start([join(root, "agents/cli.ts"), "provider"], /ready: \S+ at http:\/\/localhost:(\d+) \(provider (\d+),/, {
    NETWORK: "local",
    RPC_URL: chain.rpcUrl,
    PROVIDER_PRIVATE_KEY: keyOf(1),
    BACKEND: "openai",
    INFERENCE_URL: `http://127.0.0.1:${upstream}/v1`,
    MODEL_NAME: "m",
    PROVIDER_PORT: "0",
    PROVIDER_HOST: "127.0.0.1",
    PRICE_PER_SECOND: "0.000000001",
    MAX_CONCURRENCY: "2000",
    MAX_PER_STREAM: "1000",
    PAYER_REQUESTS_PER_MINUTE: "10000000",
    IP_ATTEMPTS_PER_MINUTE: "10000000",
    DATA_DIR: join(folder, "store"),
  });
  const port = Number(found[1]);
  const providerId = Number(found[2]);
  const url = `http://127.0.0.1:${port}`;

  const byStream = createPayer(chain, payer);
  const streamId = await byStream.openStream({ recipient: owner.address, providerId, rate: PRICE, seconds: 86_400 });
  const { token } = await byStream.session(url, streamId);
  const channel = await createChannelPayer(chain, payer).open(url, { deposit: PRICE * 86_400n });
  await channel.manage(await channel.opening(PRICE * 3_600n));
  let amount = PRICE * 3_600n;
  const carried = { "payment-authorization": channel.credential(await channel.voucher(amount)) };

  const none = async () => ({});
  const unpaid: Payee = { name: "unpaid", port: unpaidPort, next: none };
  const bearer: Payee = { name: "bearer", port, next: async () => ({ authorization: `Bearer ${token}` }) };
  const voucher: Payee = {
    name: "channel voucher, a new one each time",
    port,
    next: async () => {
      amount += 1n;
      return { "payment-authorization": channel.credential(await channel.voucher(amount)) };
    },
  };
  const again: Payee = { name: "channel voucher, carried again", port, next: async () => carried };
  const stock = await stockSession(upstream, owner.address);

  const payees = [unpaid, bearer, voucher, again, stock];
  const times = await inTurns(payees, quick, requests);
  console.error(`latencies taken, load ${loadavg()[0]?.toFixed(1)}`);
  const rows: Row[] = [];
  const total = (name: string, share: number) =>
    quantile(
      (times.get(name) as Asked[]).map(({ totalMs }) => totalMs),
      share,
    );
  const first = (name: string, share: number) =>
    quantile(
      (times.get(name) as Asked[]).map(({ firstByteMs }) => firstByteMs),
      share,
    );
  const goals: Readonly<Record<string, string>> = { [bearer.name]: "<= 0.3", [voucher.name]: "<= 1", [again.name]: "<= 1" };
  for (const { name } of payees) {
    const label = name === stock.name ? name : name === unpaid.name ? "unpaid" : `ours, ${name}`;
    rows.push(
      { name: `${label}: p50`, value: total(name, 0.5), unit: "ms" },
      { name: `${label}: p99`, value: total(name, 0.99), unit: "ms" },
    );
    if (name === unpaid.name) continue;
    const goal = goals[name];
    rows.push({ name: `${label}: added p50`, value: total(name, 0.5) - total(unpaid.name, 0.5), unit: "ms", ...(goal ? { goal } : {}) });
    rows.push({ name: `${label}: added p99`, value: total(name, 0.99) - total(unpaid.name, 0.99), unit: "ms" });
    rows.push({
      name: `${label}: first byte over unpaid, p50`,
      value: first(name, 0.5) - first(unpaid.name, 0.5),
      unit: "ms",
      ...(goal ? { goal: "<= 5" } : {}),
    });
  }
  for (const payee of [unpaid, bearer, again, stock]) {
    const label = payee === stock || payee === unpaid ? payee.name : `ours, ${payee.name}`;
    rows.push({ name: `${label}: requests a second, 16 at a time`, value: await throughput(payee, quick, 16, 3_000), unit: "1/s" });
  }
  console.error("throughput taken");
  rows.push(...(await foreignSession(url)));
  rows.push(...(await pauses(providerId, unpaid)));
  rows.push(...(await exact(upstream, relayer)));

  const shown = rows.map((row) => ({ ...row, value: Number(row.value.toPrecision(4)) }));
  const lines = shown.map(
    (row) => `| ${row.name} | ${row.value} | ${row.unit} | ${row.goal ?? ""} | ${row.goal ? (meets(row) ? "yes" : "no") : ""} |`,
  );
  const text = ["| what | value | unit | goal | met |", "|---|---:|---|---|---|", ...lines, ""].join("\n");
  writeFileSync(join(here, "results.json"), `[\n${shown.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`);
  writeFileSync(join(here, "results.md"), text);
  console.log(text);

  /** A stock mppx server, paid by vouchers of the same kind. */
  async function stockSession(upstreamPort: number, recipient: Address): Promise<Payee> {
    const { chainId, contracts } = chain.network;
    const escrow = contracts.paymentChannel;
    const stockPort = await portOf([join(here, "mppxServer.ts"), String(upstreamPort), String(chainId), escrow, recipient]);
    const challenge = async () => {
      const response = await fetch(`http://127.0.0.1:${stockPort}/v1/chat/completions`, { method: "POST" });
      const found = findSessionChallenge(response.headers.get("www-authenticate"));
      if (!found) throw new Error("the stock server sent no challenge");
      return found;
    };
    const key = privateKeyToAccount(generatePrivateKey());
    const channelId = keccak256(toHex("stock"));
    let signed = 0n;
    let current = await challenge();
    const { encodeCredential } = await import("@clawcompute/lib/protocol/payments");
    const make = async (action: "open" | "voucher") => {
      signed += 1_000n;
      const cumulativeAmount = String(signed);
      const message = { channelId, cumulativeAmount: signed };
      const signature = await key.signTypedData({
        domain: voucherDomain(chainId, escrow),
        types: voucherTypes,
        primaryType: "Voucher",
        message,
      });
      const opening = action === "open" ? { type: "hash", hash: zeroHash, salt: zeroHash, authorizedSigner: key.address } : {};
      return {
        authorization: encodeCredential({ challenge: current, payload: { action, ...opening, channelId, cumulativeAmount, signature } }),
      };
    };
    const opened = await fetch(`http://127.0.0.1:${stockPort}/v1/chat/completions`, { method: "POST", headers: await make("open") });
    if (!opened.ok) throw new Error(`the stock server refused to open: ${opened.status} ${await opened.text()}`);
    let uses = 0;
    return {
      name: "stock mppx server, voucher",
      port: stockPort,
      next: async () => {
        uses += 1;
        if (uses % 500 === 0) current = await challenge();
        return make("voucher");
      },
    };
  }

  /** A stock mppx client, told only of the method's types, pays our provider by session. */
  async function foreignSession(base: string): Promise<Row[]> {
    const theirs = await createChannelPayer(chain, devAccounts[6] as LocalAccount).open(base, { deposit: PRICE * 3_600n });
    let shown = false;
    let paid = PRICE * 60n;
    const client = Method.toClient(sessionMethod, {
      async createCredential({ challenge }) {
        paid += 1n;
        const payload = shown ? await theirs.voucher(paid) : await theirs.opening(paid);
        shown = true;
        const wire = JSON.parse(JSON.stringify(payload, (_, value) => (typeof value === "bigint" ? String(value) : value)));
        return Credential.serialize({
          challenge,
          payload: wire,
          source: `did:pkh:eip155:${chain.network.chainId}:${theirs.terms.payer}`,
        } as never);
      },
    });
    const mppx = Mppx.create({ polyfill: false, methods: [client] });
    const taken: number[] = [];
    for (let done = 0; done < 30; done += 1) {
      const startedAt = performance.now();
      const response = await mppx.fetch(`${base}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: bodyOf(quick),
      });
      const text = await response.text();
      if (response.status !== 200 || !text.includes("[DONE]"))
        throw new Error(`the mppx client was not served: ${response.status} ${text.slice(0, 300)}`);
      taken.push(performance.now() - startedAt);
    }
    return [{ name: "ours, stock mppx client (402 and payment each time): p50", value: quantile(taken, 0.5), unit: "ms" }];
  }

  /** Silences of an answer of four seconds that the gateway's own rail pays for, against the same answer unpaid. */
  async function pauses(id: number, free: Payee): Promise<Row[]> {
    const logger = createLogger({ name: "bench", level: "silent" });
    const connected = connectChain(chain.network);
    const account = devAccounts[7] as LocalAccount;
    const sender = createSender({ chain: connected, account, logger });
    const dialer = createDialer({ allowPrivate: true });
    const key = await deriveVoucherKey(account, chain.network.chainId, chain.network.contracts.paymentChannel);
    const rail = createChannelRail({
      chain: connected,
      sender,
      voucherKey: async () => key,
      clientOf: ({ endpoint }) => createProviderClient(endpoint, dialer),
      closings: createClosings({ chain: connected, logger }),
      limits: attemptLimits,
      stepMs: 1_000,
      clock: steadyClock,
      logger,
      onTransaction: () => {},
    });
    const offer = await readOffer(connected, id);
    const cover = await rail.open(offer, 600);
    await rail.connect(cover);
    const { messages } = JSON.parse(bodyOf(long));
    let [waits, longestMs] = [0, 0];
    const agent = new Agent({ keepAlive: true });
    const bare = await ask(free, agent, bodyOf(long));
    agent.destroy();
    for (let round = 0; round < 3; round += 1) {
      const release = cover.use();
      const stream = await cover.chat({ model: "m", messages }, { headersMs: 10_000 });
      let lastAt = performance.now();
      for await (const { comment } of stream.events) {
        const now = performance.now();
        if (comment !== undefined) continue;
        const gap = now - lastAt;
        longestMs = Math.max(longestMs, gap);
        // Half a step is far more than any gap of this model, and far less than a wait for money.
        if (gap > 500) waits += 1;
        lastAt = now;
      }
      stream.close();
      release();
    }
    await rail.end(cover);
    dialer.close();
    return [
      { name: "ours, paid answer of 4 s: pauses for money in 3", value: waits, unit: "", goal: "<= 0" },
      { name: "ours, paid answer of 4 s: longest gap", value: longestMs, unit: "ms" },
      { name: "unpaid answer of 4 s: longest gap", value: bare.longestGapMs, unit: "ms" },
    ];
  }

  /** `exact` by one stock client: from our provider and from a stock server, in turns, in front of the same model. */
  async function exact(upstreamPort: number, account: LocalAccount): Promise<Row[]> {
    const wallet = createWalletClient({ account, chain: foundry, transport: http(chain.rpcUrl), pollingInterval: 50 }).extend(
      publicActions,
    );
    const { abi, bytecode } = JSON.parse(readFileSync(join(root, "artifacts/contracts/mocks/MockToken.sol/MockToken.json"), "utf8")) as {
      abi: Abi;
      bytecode: Hex;
    };
    const hash = await wallet.deployContract({ abi, bytecode, args: ["Bench USD", "USD", 6] });
    const tokenAddress = (await wallet.waitForTransactionReceipt({ hash })).contractAddress as Address;
    await wallet.waitForTransactionReceipt({
      hash: await wallet.writeContract({ address: tokenAddress, abi, functionName: "mint", args: [account.address, 10n ** 15n] }),
    });
    const pay = wrapFetchWithPaymentFromConfig(fetch, {
      schemes: [{ network: "eip155:31337", client: new ExactEvmScheme(toClientEvmSigner(account as never)) }],
      spendControls: { allowedAssets: [{ network: "eip155:31337", asset: tokenAddress, maxAmountPerPayment: "5000" }] },
    } as never);
    // As the local network's blocks come: how often a provider looks for its transaction follows from that.
    await chain.request("evm_setIntervalMining", [1]);
    const offers = join(folder, "offers.json");
    const price = { model: "m", asset: tokenAddress, decimals: 6, pricePerSecond: "0.00001" };
    const engine = { backend: "openai", inferenceUrl: `http://127.0.0.1:${upstreamPort}/v1`, maxConcurrency: 100 };
    writeFileSync(offers, JSON.stringify([{ ...price, ...engine }]));
    const { found } = await start([join(root, "agents/cli.ts"), "provider"], /ready: \S+ at http:\/\/localhost:(\d+) /, {
      NETWORK: "local",
      RPC_URL: chain.rpcUrl,
      PROVIDER_PRIVATE_KEY: keyOf(3),
      PROVIDER_OFFERS: offers,
      PROVIDER_PORT: "0",
      PROVIDER_HOST: "127.0.0.1",
      DATA_DIR: join(folder, "exact"),
    });
    const payees = new Map([["ours, x402 exact", Number(found[1])]]);
    if (existsSync(join(peer, "node_modules/@x402/hono"))) {
      const stockPort = await portOf([join(peer, "x402Server.mjs"), String(upstreamPort), chain.rpcUrl, tokenAddress, "8"]);
      payees.set("stock @x402/hono server, exact", stockPort);
    }
    const taken = new Map([...payees.keys()].map((name) => [name, { wholeMs: [] as number[], firstByteMs: 0 }]));
    for (let done = 0; done < 12; done += 1) {
      for (const [name, port] of payees) {
        const own = taken.get(name) as { wholeMs: number[]; firstByteMs: number };
        const startedAt = performance.now();
        const response = await pay(`http://127.0.0.1:${port}/v1/chat/completions`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: bodyOf(done === 0 ? long : quick),
        });
        const reader = (response.body as ReadableStream<Uint8Array>).getReader();
        const decoder = new TextDecoder();
        let text = decoder.decode((await reader.read()).value, { stream: true });
        if (done === 0) own.firstByteMs = performance.now() - startedAt;
        for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value, { stream: true });
        if (response.status !== 200 || !text.includes("[DONE]")) throw new Error(`${name}: ${response.status} ${text.slice(-300)}`);
        if (done > 1) own.wholeMs.push(performance.now() - startedAt);
      }
    }
    return [...taken].flatMap(([name, { wholeMs, firstByteMs }]) => [
      { name: `${name}: p50, blocks of 1 s`, value: quantile(wholeMs, 0.5), unit: "ms" },
      { name: `${name}: first byte of an answer of 4 s`, value: firstByteMs, unit: "ms" },
    ]);
  }
} finally {
  for (const child of children) child.kill("SIGKILL");
  await chain.stop();
  await rm(folder, { recursive: true, force: true });
}

function start(args: readonly string[], pattern: RegExp, env: Record<string, string> = {}): Promise<{ found: RegExpExecArray }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: folder, NODE_ENV: "production", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    let said = "";
    const onData = (part: Buffer) => {
      said = (said + part.toString()).slice(-20_000);
      const found = pattern.exec(said);
      if (!found) return;
      for (const stream of [child.stdout, child.stderr]) stream?.off("data", onData).resume();
      resolve({ found });
    };
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", onData);
    child.once("exit", (code) => reject(new Error(`${args[0]} ended with ${code}: ${said.slice(-2_000)}`)));
  });
}

async function portOf(args: readonly string[]): Promise<number> {
  return Number((await start(args, /port (\d+)/)).found[1]);
}

function keyOf(index: number): string {
  const account = devAccounts[index] as unknown as { getHdKey(): { privateKey: Uint8Array } };
  return toHex(account.getHdKey().privateKey);
}

function meets({ value, goal }: Row): boolean {
  const [, sign, limit] = /^(<=|>=) (\S+)$/.exec(goal ?? "") ?? [];
  return sign === undefined || (sign === "<=" ? value <= Number(limit) : value >= Number(limit));
}

/** The peer is installed once for each lockfile; where that is not possible it is left out. */
function installPeers(): void {
  const stamp = join(peer, "node_modules", ".installed");
  const wanted = createHash("sha256")
    .update(readFileSync(join(peer, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm === undefined ? ["npm", "ci"] : [process.execPath, npm, "ci"];
  if (spawnSync(command as string, args, { cwd: peer, stdio: "inherit" }).status === 0) writeFileSync(stamp, wanted);
  else console.error("@x402/hono could not be installed and is left out");
}
