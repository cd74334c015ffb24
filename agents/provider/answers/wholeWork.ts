import { errorEvent } from "./chunkWork.ts";
import type { Body, Units, Work } from "./work.ts";

export interface WholeOptions {
  readonly run: (signal: AbortSignal) => Promise<Body>;
  readonly units: (body: Body) => Units;
  readonly inTokens?: boolean;
}

/** Answers that come all at once: embeddings, images, sound, transcriptions. */
export function createWholeWork({ run, units, inTokens = false }: WholeOptions): Work {
  let body: Body | undefined;
  return {
    inOnePiece: true,
    inTokens,
    start: async function* (signal) {
      body = await run(signal);
      yield { data: body.bytes };
    },
    take: () => ({ hasContent: true, shown: true }),
    isWhole: () => body !== undefined,
    endReason: () => "stop",
    units: () => (body ? units(body) : { unitsIn: 0, unitsOut: 0 }),
    cutOff: () => [],
    failed: errorEvent,
    ending: () => [],
    body: () => body,
  };
}
