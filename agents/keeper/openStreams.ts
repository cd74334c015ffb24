import type { BlockMark, ChainEvent } from "@clawcompute/lib/chain";
import type { Address, Hash } from "viem";

/** What a keeper needs to know of a stream that still holds money. Times are unix seconds. */
export interface OpenStream {
  readonly id: bigint;
  readonly payee: Address;
  /** Zero: the native coin. */
  readonly asset: Address;
  readonly providerId: number;
  readonly ratePerSecond: bigint;
  /** Everything that accrued before this time was paid. */
  readonly lastPaid: number;
  readonly end: number;
}

/** The contract's own sum: nothing has to be asked for it. */
export function accruedAt({ ratePerSecond, lastPaid, end }: OpenStream, now: number): bigint {
  const upTo = now < end ? now : end;
  return upTo > lastPaid ? ratePerSecond * BigInt(upTo - lastPaid) : 0n;
}

/** The open streams by the chain's events, able to go back as far as reorganisations go. */
export interface OpenStreams {
  apply(events: readonly ChainEvent[], upTo: BlockMark): void;
  rollback(toBlock: bigint): void;
  values(): Iterable<OpenStream>;
  size(): number;
  /** The newest blocks seen, oldest first. */
  marks(): readonly BlockMark[];
  save(): SavedStreams;
}

interface Change {
  readonly block: bigint;
  readonly id: bigint;
  readonly before: OpenStream | undefined;
}

type SavedStream = Omit<OpenStream, "id" | "ratePerSecond"> & { readonly id: string; readonly ratePerSecond: string };

/** The same as JSON. */
export interface SavedStreams {
  readonly streams: readonly SavedStream[];
  readonly changes: readonly { readonly block: string; readonly id: string; readonly before: SavedStream | null }[];
  readonly marks: readonly { readonly number: string; readonly hash: Hash }[];
}

const depth = 64;
const ends = new Set(["StreamCancelled", "StreamSettled", "StreamRedirected"]);

export function createOpenStreams(saved?: SavedStreams): OpenStreams {
  const streams = new Map<bigint, OpenStream>(saved?.streams.map(load).map((stream) => [stream.id, stream]));
  let changes: Change[] = (saved?.changes ?? []).map(({ block, id, before }) => ({
    block: BigInt(block),
    id: BigInt(id),
    before: before ? load(before) : undefined,
  }));
  let marks: BlockMark[] = (saved?.marks ?? []).map(({ number, hash }) => ({ number: BigInt(number), hash }));

  function set(block: bigint, id: bigint, next: OpenStream | undefined): void {
    changes.push({ block, id, before: streams.get(id) });
    if (next) streams.set(id, next);
    else streams.delete(id);
  }

  function applyOne({ contract, name, args, blockNumber }: ChainEvent): void {
    if (contract !== "streamPay" || typeof args.id !== "bigint") return;
    const { id } = args;
    if (name === "StreamCreated") {
      set(blockNumber, id, {
        id,
        payee: args.payee as Address,
        asset: args.asset as Address,
        providerId: Number(args.providerId),
        ratePerSecond: args.ratePerSecond as bigint,
        lastPaid: Number(args.start),
        end: Number(args.end),
      });
    } else if (name === "StreamToppedUp") {
      const stream = streams.get(id);
      if (stream) set(blockNumber, id, { ...stream, end: Number(args.end) });
    } else if (name === "StreamUpdated" || name === "StreamWithdrawn") {
      const stream = streams.get(id);
      if (!stream) return;
      const paid = (name === "StreamUpdated" ? args.accrued : args.amount) as bigint;
      const lastPaid = stream.lastPaid + Number(paid / stream.ratePerSecond);
      set(blockNumber, id, lastPaid < stream.end ? { ...stream, lastPaid } : undefined);
    } else if (ends.has(name) && streams.has(id)) {
      set(blockNumber, id, undefined);
    }
  }

  return {
    apply: (events, { number, hash }) => {
      for (const event of events) applyOne(event);
      marks = [...marks, { number, hash }].slice(-depth);
      changes = changes.filter(({ block }) => block > number - BigInt(depth));
    },
    rollback: (toBlock) => {
      marks = marks.filter((mark) => mark.number <= toBlock);
      // Without a mark left nothing is known to be right: everything is read again.
      if (marks.length === 0) {
        streams.clear();
        changes = [];
      }
      for (let last = changes.at(-1); last && last.block > toBlock; last = changes.at(-1)) {
        changes.pop();
        if (last.before) streams.set(last.id, last.before);
        else streams.delete(last.id);
      }
    },
    values: () => streams.values(),
    size: () => streams.size,
    marks: () => marks,
    save: () => ({
      streams: [...streams.values()].map(store),
      changes: changes.map(({ block, id, before }) => ({ block: String(block), id: String(id), before: before ? store(before) : null })),
      marks: marks.map(({ number, hash }) => ({ number: String(number), hash })),
    }),
  };
}

const store = (stream: OpenStream): SavedStream => ({ ...stream, id: String(stream.id), ratePerSecond: String(stream.ratePerSecond) });
const load = (stream: SavedStream): OpenStream => ({ ...stream, id: BigInt(stream.id), ratePerSecond: BigInt(stream.ratePerSecond) });
