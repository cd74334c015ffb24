import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Network } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import type { SavedStreams } from "./openStreams.ts";

interface StateFile extends SavedStreams {
  readonly version: 2;
  readonly chainId: number;
  readonly streamPay: string;
  /** Hash of block 0: a local chain that was started anew is another chain. */
  readonly genesis: string;
}

/** What was saved for this contract on this chain; undefined when there is nothing of use. Throws CONFIG_INVALID when it cannot be read. */
export function loadState(path: string, network: Network, genesis: string): SavedStreams | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new AppError("CONFIG_INVALID", "KEEPER_DATA_DIR: cannot be read.", { param: "KEEPER_DATA_DIR", cause });
  }
  const state = parse(text);
  // What another version left, or a disk broke: everything is read from the chain again.
  if (state?.version !== 2) return undefined;
  const same =
    state.chainId === network.chainId &&
    state.genesis === genesis &&
    state.streamPay.toLowerCase() === network.contracts.streamPay.toLowerCase();
  return same ? state : undefined;
}

/** Whole or not at all: a crash while writing leaves the old file. */
export function saveState(path: string, network: Network, genesis: string, saved: SavedStreams): void {
  const state: StateFile = { version: 2, chainId: network.chainId, streamPay: network.contracts.streamPay, genesis, ...saved };
  writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function parse(text: string): StateFile | undefined {
  try {
    return JSON.parse(text) as StateFile;
  } catch {
    return undefined;
  }
}
