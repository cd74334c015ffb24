import { connectChain, listWalletOffers, type Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import { type Clock, createLogger } from "@clawcompute/lib/node";
import { type HealthResponse, healthResponse } from "@clawcompute/lib/protocol";
import { type Address, zeroAddress } from "viem";
import { printable, printableName, type Terminal, table } from "../../terminal.ts";
import type { AskPassword } from "../../wallet/unlock.ts";
import { readOperatorConfig } from "../config.ts";
import { readKeys } from "../keys.ts";
import { submit } from "./desk.ts";
import type { Order } from "./orders.ts";

export const operations = ["status", "earnings", "withdraw", "drain", "resume"] as const;
export type Operation = (typeof operations)[number];

export const operateUsage = `claw provider status     what is listed, what the running provider does
claw provider earnings   what was earned, what can be collected now
claw provider withdraw   collects it
claw provider drain [id] takes the offers off the market; what runs is finished, nothing new is served
claw provider resume [id] puts them back
  --url URL   the running provider (default: http://127.0.0.1:PROVIDER_PORT)
  --json      one JSON object instead
`;

export interface OperateOptions {
  readonly operation: Operation;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly terminal: Pick<Terminal, "out" | "err">;
  readonly askPassword: AskPassword;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** An operator's command: reads the chain and the running provider, writes with the owner's key. */
export async function operate({ operation, argv, env, terminal, askPassword, clock, signal }: OperateOptions): Promise<void> {
  const config = readOperatorConfig(env);
  const { ids, json, url } = readArguments(argv, config.listenPort);
  const chain = connectChain(config.network);
  const needsKey = operation === "withdraw" || operation === "drain" || operation === "resume";
  const keys = !needsKey && config.ownerAddress && !config.ownerKey ? undefined : await readKeys(config, env, askPassword);
  const owner = keys?.owner ?? (config.ownerAddress as Address);
  const logger = createLogger({ name: "provider", level: "warn" });
  const desk = { ...config, chain, owner, logger, ownerAccount: keys?.ownerAccount };
  const carried = (order: Order) => submit(desk, order, signal);
  const symbol = config.network.nativeSymbol;
  const say = (facts: object, text: string) => terminal.out(json ? `${JSON.stringify(facts, wire)}\n` : text);

  const chosen = async (): Promise<readonly Offer[]> => {
    const offers = await listWalletOffers(chain, owner);
    const unknown = ids.find((id) => !offers.some((offer) => offer.id === id));
    if (unknown !== undefined) throw new AppError("BAD_REQUEST", `Offer ${unknown} is not this wallet's.`, { facts: { owner } });
    return ids.length > 0 ? offers.filter(({ id }) => ids.includes(id)) : offers;
  };

  if (operation === "status") {
    const [offers, health] = await Promise.all([chosen(), readHealth(url)]);
    const rows = offers.map((offer) => {
      const served = health?.models.find(({ providerId }) => providerId === offer.id);
      return {
        id: offer.id,
        model: printableName(offer.model),
        active: offer.active,
        price: `${amountOf(offer.asset, offer.pricePerSecond, symbol)}/s`,
        endpoint: printable(offer.endpoint),
        running: served ? served.capacity - served.free : null,
        capacity: served?.capacity ?? null,
      };
    });
    const head = health ? `${url}: ${health.status}, chain ${health.lagMs} ms behind` : `${url}: does not answer`;
    const lines = rows.map((row) => [
      String(row.id),
      row.model,
      row.active ? "listed" : "off the market",
      row.price,
      row.running === null ? "not served here" : `${row.running} of ${row.capacity} places taken`,
      row.endpoint,
    ]);
    say(
      { owner, url, status: health?.status ?? null, lagMs: health?.lagMs ?? null, offers: rows },
      `${head}\n${table(["id", "model", "state", "price", "now", "endpoint"], lines)}`,
    );
    return;
  }

  if (operation === "drain" || operation === "resume") {
    const active = operation === "resume";
    const wanted: number[] = [];
    for (const { id, active: now } of await chosen()) {
      // Without being named, only what is on the market is taken off, and nothing old is put back.
      if (now === active || (active && ids.length === 0 && !(await isServed(url, id)))) continue;
      wanted.push(id);
    }
    const { changed } = wanted.length > 0 ? await carried({ kind: "list", ids: wanted, active }) : { changed: [] };
    const idle = active ? null : await waitUntilIdle(url, config.drainSeconds * 1000, clock, signal);
    const what = changed.length === 0 ? "nothing to change" : `${active ? "listed again" : "off the market"}: ${changed.join(", ")}`;
    const rest = idle === null ? "" : idle ? "; nothing runs any more" : "; answers still run";
    say({ changed, active, idle }, `${what}${rest}\n`);
    return;
  }

  if (operation === "earnings") {
    const [offers, { earnings }] = await Promise.all([listWalletOffers(chain, owner), carried({ kind: "earnings" })]);
    const sold = offers.map(({ id, model, asset, completions, earned }) => [
      String(id),
      printableName(model),
      String(completions),
      amountOf(asset, earned, symbol),
    ]);
    const money = earnings.map(({ asset, due, credit, accruing, openStreams }) =>
      [due, credit, accruing].map((amount) => amountOf(asset, amount, symbol)).concat(String(openStreams)),
    );
    const facts = {
      owner,
      offers: offers.map(({ id, model, asset, completions, earned }) => ({ id, model, asset, completions, earned })),
      earnings,
    };
    say(facts, `${table(["id", "model", "paid", "earned"], sold)}\n${table(["due", "credit", "accruing", "open streams"], money)}`);
    return;
  }
  const { collected, left } = await carried({ kind: "withdraw" });
  const lines = collected.map(({ what, asset, amount, hash, feeWei }) => [
    what,
    amountOf(asset, amount, symbol),
    amountOf(zeroAddress, feeWei, symbol),
    hash,
  ]);
  const rest = left.length > 0 ? `${left.length} left: they would not pay for their gas\n` : "";
  say(
    { collected, left },
    collected.length > 0 ? `${table(["what", "amount", "fee", "transaction"], lines)}${rest}` : `nothing to collect\n${rest}`,
  );
}

const wire = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

/** Tokens are shown in raw units: their decimals are their own business. */
const amountOf = (asset: Address, amount: bigint, symbol: string): string =>
  asset === zeroAddress ? `${formatAmount(amount)} ${symbol}` : `${amount} of ${asset}`;

function readArguments(argv: readonly string[], port: number) {
  const ids: number[] = [];
  let json = false;
  let url = `http://127.0.0.1:${port}`;
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] as string;
    const given = word === "--url" ? argv[++index] : undefined;
    if (word === "--json") json = true;
    else if (given !== undefined && URL.canParse(given)) url = given.replace(/\/+$/, "");
    else if (/^\d{1,10}$/.test(word)) ids.push(Number(word));
    else throw new AppError("BAD_REQUEST", `Unknown argument "${word.slice(0, 50)}".`, { hint: "See claw provider --help." });
  }
  return { ids, json, url };
}

async function readHealth(url: string): Promise<HealthResponse | undefined> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(3_000) });
    return healthResponse.parse(await response.json());
  } catch {
    return undefined;
  }
}

const isServed = async (url: string, id: number): Promise<boolean> =>
  (await readHealth(url))?.models.some(({ providerId }) => providerId === id) ?? false;

/** Undefined state of a provider that does not answer: null. */
async function waitUntilIdle(url: string, withinMs: number, clock: Clock, signal: AbortSignal): Promise<boolean | null> {
  const until = clock.now() + withinMs;
  for (;;) {
    const health = await readHealth(url);
    if (!health) return null;
    if (health.models.every(({ free, capacity }) => free === capacity)) return true;
    if (clock.now() >= until) return false;
    await clock.sleep(500, signal);
  }
}
