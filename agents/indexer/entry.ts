import type { ChainEvent } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { indexerEvents } from "@clawcompute/lib/store";
import type { Address } from "viem";

/** An event as the journal keeps it: what every other table is made from, when it comes and when it is read again. */
export type Entry = typeof indexerEvents.$inferSelect;
type Args = Entry["args"];

/** `at` in unix seconds. */
export function entryOf(chainId: number, event: ChainEvent, at: number): Entry {
  const { contract, name, blockHash, transactionHash, logIndex } = event;
  const args: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(event.args)) {
    if (typeof value === "bigint") args[key] = value.toString();
    else args[key] = typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value) ? value.toLowerCase() : storable(value);
  }
  const blockNumber = Number(event.blockNumber);
  return { chainId, blockNumber, logIndex, blockHash, transactionHash, at, contract, name, subject: subjectOf(contract, name, args), args };
}

function subjectOf(contract: string, name: string, args: Args): string | null {
  if (contract === "registry") return name === "CompletionRecorded" ? null : `provider:${args.id}`;
  if (contract === "streamPay") return name.startsWith("Stream") ? `stream:${args.id}` : null;
  return name.startsWith("Ch") || name.startsWith("Close") ? `channel:${args.channelId}` : null;
}

/** A database's text holds no zero characters; names and endpoints of strangers may. */
const storable = (value: unknown) => (typeof value === "string" ? value.replaceAll("\u0000", "\ufffd") : value);

export const amountIn = (args: Args, key: string): bigint => BigInt(args[key] as string);
export const numberIn = (args: Args, key: string): number => Number(args[key]);
export const addressIn = (args: Args, key: string): Address => args[key] as Address;
export const textIn = (args: Args, key: string): string => args[key] as string;

/** Throws CONFIG_INVALID: an event tells about something whose beginning was never read. */
export function beginningMissing(entry: Entry): never {
  throw new AppError("CONFIG_INVALID", `Block ${entry.blockNumber} tells about ${entry.subject}, whose beginning was not read.`, {
    param: "DEPLOY_BLOCK",
    facts: { subject: entry.subject ?? "", block: entry.blockNumber, event: entry.name },
    hint: "Set DEPLOY_BLOCK to the block of the contracts' deployment, and start with an empty store.",
  });
}
