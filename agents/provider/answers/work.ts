import type { AppError } from "@clawcompute/lib/errors";
import type { EndReason } from "@clawcompute/lib/protocol";

/** One event of an answer, or a part of its body, as it goes to the caller. */
export interface Piece {
  readonly data: string | Uint8Array;
  /** Name of the event, where the API has names. */
  readonly event?: string;
}

export interface Body {
  readonly contentType: string;
  readonly bytes: string | Uint8Array;
}

/** What a receipt counts: tokens; images; for sound, the bytes and characters that went in and came out. */
export interface Units {
  readonly unitsIn: number;
  readonly unitsOut: number;
}

/** What an engine is asked for, and how its answer is read. One for each request; paying for it is the same for all kinds. */
export interface Work {
  /** Nothing is of use before all is there: it has no first token, and no part of it can be sold. */
  readonly inOnePiece: boolean;
  /** Its units are tokens. */
  readonly inTokens: boolean;
  /** Starts the engine; stops it when the signal aborts. */
  start(signal: AbortSignal): AsyncIterable<Piece>;
  /** Reads what the engine said. Throws UPSTREAM_FAILED when that is nothing of the kind. */
  take(piece: Piece): { readonly hasContent: boolean; readonly shown: boolean };
  /** The engine has ended: had it finished? */
  isWhole(): boolean;
  endReason(): EndReason;
  units(): Units;
  /** Ends an answer that the money did not last for; what it says then belongs to the answer. */
  cutOff(): readonly Piece[];
  /** An answer that began and broke off says so as its last event. */
  failed(failure: AppError): Piece;
  /** What comes after the answer: the receipt, and the end of the events. */
  ending(receipt: Record<string, unknown>): readonly Piece[];
  /** The answer in one piece; undefined when there is nothing of use. */
  body(): Body | undefined;
}
