import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Network } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import type { SavedStreams } from "./openStreams.ts";

interface StateFile extends SavedStreams {
  readonly version: 1;
  readonly chainId: number;
  readonly streamPay: string;
  /** Hash of block 0: a local chain that was started anew is another chain. */
  readonly genesis: string;
}

/** What was saved for this contract on this chain; undefined when there is nothing. Throws CONFIG_INVALID for a file that is something else. */
export function loadState(path: string, network: Network, genesis: string): SavedStreams | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new AppError("CONFIG_INVALID", "KEEPER_STATE_FILE: cannot be read.", { param: "KEEPER_STATE_FILE", cause });
  }
  const state = parse(text);
  if (state?.version !== 1) {
    throw new AppError("CONFIG_INVALID", "KEEPER_STATE_FILE: this is no keeper's state.", {
      param: "KEEPER_STATE_FILE",
      hint: "Remove the file; everything is read from the chain again.",
    });
  }
  const same =
    state.chainId === network.chainId &&
    state.genesis === genesis &&
    state.streamPay.toLowerCase() === network.contracts.streamPay.toLowerCase();
  return same ? state : undefined;
}

/** Whole or not at all: a crash while writing leaves the old file. */
export function saveState(path: string, network: Network, genesis: string, saved: SavedStreams): void {
  const state: StateFile = { version: 1, chainId: network.chainId, streamPay: network.contracts.streamPay, genesis, ...saved };
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
