import {
  addRows,
  among,
  and,
  eq,
  indexerChannels,
  indexerCredits,
  indexerDays,
  indexerIntervals,
  indexerKeeperActions,
  indexerKeeperDays,
  indexerKeepers,
  indexerModels,
  indexerPrices,
  indexerProviderDays,
  indexerProviders,
  indexerSettlements,
  indexerStreams,
  indexerTotals,
  insertRows,
  lte,
  type Queryable,
  readRows,
  replaceRows,
  sql,
} from "@clawcompute/lib/store";
import { addressIn, amountIn, type Entry, numberIn } from "../entry.ts";
import { type BatchTransaction, type Book, sumActionsByDay, sumKeepers } from "./book.ts";
import { type ChannelRow, foldChannel, type PaidFor } from "./channels.ts";
import { foldProvider, type ProviderRow, providerSums } from "./providers.ts";
import { foldStream, type StreamRow } from "./streams.ts";

export type BatchOf = (entry: Entry) => BatchTransaction | undefined;

/** What an event does not tell itself. */
export interface Context {
  readonly batchOf: BatchOf;
  readonly paidFor: PaidFor;
}

/** The rows that events tell about, by subject; undefined once their first event is undone. */
export interface Subjects {
  readonly streams: Map<string, StreamRow | undefined>;
  readonly channels: Map<string, ChannelRow | undefined>;
  readonly providers: Map<string, ProviderRow | undefined>;
}

export const noSubjects = (): Subjects => ({ streams: new Map(), channels: new Map(), providers: new Map() });

/** One more event: the row of its subject, and what it adds to the sums. The only place where events become anything else. */
export function project(entry: Entry, subjects: Subjects, book: Book, { batchOf, paidFor }: Context): void {
  const { subject, name, args, contract } = entry;
  if (subject?.startsWith("stream:")) subjects.streams.set(subject, foldStream(subjects.streams.get(subject), entry, book, batchOf));
  else if (subject?.startsWith("channel:"))
    subjects.channels.set(subject, foldChannel(subjects.channels.get(subject), entry, book, paidFor));
  else if (subject?.startsWith("provider:")) subjects.providers.set(subject, foldProvider(subjects.providers.get(subject), entry, book));
  else if (contract === "registry") book.completion(numberIn(args, "id"), numberIn(args, "count"), amountIn(args, "earned"));
  else if (name === "CreditAdded")
    book.credit(entry, addressIn(args, "account"), addressIn(args, "asset"), { added: amountIn(args, "amount") });
  else if (name === "CreditWithdrawn")
    book.credit(entry, addressIn(args, "account"), addressIn(args, "asset"), { withdrawn: amountIn(args, "amount") });
}

const beginnings = new Set(["StreamCreated", "ChannelOpened", "ProviderRegistered"]);

/** Loads what the entries tell about and do not begin themselves. */
export async function loadSubjects(tx: Queryable, chainId: number, entries: readonly Entry[]): Promise<Subjects> {
  const subjects = noSubjects();
  const begun = new Set(entries.filter(({ name }) => beginnings.has(name)).map(({ subject }) => subject));
  const ids = { stream: new Set<string>(), channel: new Set<string>(), provider: new Set<string>() };
  for (const { subject } of entries) {
    if (subject === null || begun.has(subject)) continue;
    const colon = subject.indexOf(":");
    ids[subject.slice(0, colon) as keyof typeof ids].add(subject.slice(colon + 1));
  }
  if (ids.stream.size > 0) {
    const rows = await readRows(tx, indexerStreams, {
      where: and(eq(indexerStreams.chainId, chainId), among(indexerStreams.id, [...ids.stream])),
    });
    for (const row of rows) subjects.streams.set(`stream:${row.id}`, row);
  }
  if (ids.channel.size > 0) {
    const rows = await readRows(tx, indexerChannels, {
      where: and(eq(indexerChannels.chainId, chainId), among(indexerChannels.id, [...ids.channel])),
    });
    for (const row of rows) subjects.channels.set(`channel:${row.id}`, row);
  }
  if (ids.provider.size > 0) {
    const rows = await readRows(tx, indexerProviders, {
      where: and(eq(indexerProviders.chainId, chainId), among(indexerProviders.id, [...ids.provider])),
    });
    for (const row of rows) subjects.providers.set(`provider:${row.id}`, row);
  }
  return subjects;
}

/** Writes the rows as they are now; those that have no event left are deleted. */
export async function saveSubjects(tx: Queryable, chainId: number, { streams, channels, providers }: Subjects): Promise<void> {
  await replaceRows(tx, indexerStreams, present(streams));
  await replaceRows(tx, indexerChannels, present(channels));
  await replaceRows(tx, indexerProviders, present(providers), providerSums);
  for (const [table, rows] of [
    [indexerStreams, streams],
    [indexerChannels, channels],
    [indexerProviders, providers],
  ] as const) {
    const gone = [...rows].filter(([, row]) => row === undefined).map(([subject]) => subject.slice(subject.indexOf(":") + 1));
    if (gone.length > 0) await tx.delete(table).where(and(eq(table.chainId, chainId), among(table.id, gone)));
  }
}

function present<Row>(rows: ReadonlyMap<string, Row | undefined>): Row[] {
  return [...rows.values()].filter((row) => row !== undefined);
}

/** Adds the book to the sums. Rows that each event makes by itself are written forward only; they are deleted by their block. */
export async function saveBook(tx: Queryable, chainId: number, book: Book): Promise<void> {
  await addRows(tx, indexerTotals, book.totals());
  await addRows(tx, indexerDays, book.days());
  await addRows(tx, indexerIntervals, book.intervals());
  await addRows(tx, indexerProviderDays, book.providerDays());
  await addRows(tx, indexerCredits, book.credits());
  await addRows(tx, indexerModels, book.models());
  if (book.completions().length === 0) return;
  const completions = JSON.stringify(book.completions().map(({ id, count, earned }) => ({ id, count, earned: String(earned) })));
  await tx.execute(sql`
    update ${indexerProviders} p set completions = p.completions + c.count, earned = p.earned + c.earned
    from json_to_recordset(${completions}::json) as c(id bigint, count bigint, earned numeric)
    where p.chain_id = ${chainId} and p.id = c.id`);
}

export async function saveOwnRows(tx: Queryable, chainId: number, book: Book): Promise<void> {
  await insertRows(tx, indexerSettlements, book.settlements);
  await insertRows(tx, indexerPrices, book.prices);
  const actions = book.actions();
  await insertRows(tx, indexerKeeperActions, actions);
  await addActions(tx, chainId, actions, 1);
}

/** Adds keepers' actions to their sums, or takes them away. */
export async function addActions(
  tx: Queryable,
  chainId: number,
  actions: readonly (typeof indexerKeeperActions.$inferSelect)[],
  sign: 1 | -1,
): Promise<void> {
  const days = sumActionsByDay(chainId, actions, sign);
  await addRows(tx, indexerKeeperDays, days);
  await addRows(tx, indexerKeepers, sumKeepers(days));
}

/** After something was taken away: rows of sums to which nothing is left that adds. */
export async function dropEmptySums(tx: Queryable, chainId: number): Promise<void> {
  for (const table of [
    indexerTotals,
    indexerDays,
    indexerIntervals,
    indexerProviderDays,
    indexerCredits,
    indexerKeepers,
    indexerKeeperDays,
    indexerModels,
  ]) {
    await tx.delete(table).where(and(eq(table.chainId, chainId), lte(table.events, 0)));
  }
}
