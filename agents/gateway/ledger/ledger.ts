import type { Bill } from "../bill.ts";
import type { OpenStream, PaymentTransaction } from "../payment.ts";
import type { AttemptRecord } from "../serve/chatJob.ts";
import type { Cover, Ending } from "../streams/cover.ts";

/** One request of a client, from its first byte to its bill. */
export interface RequestRecord {
  readonly requestId: string;
  readonly client: string;
  /** As the client wrote it. */
  readonly asked: string;
  readonly route: string;
  readonly startedAtMs: number;
}

export interface RequestResult {
  readonly endedAtMs: number;
  readonly model: string | undefined;
  readonly providerId: number | undefined;
  readonly coverId: string | undefined;
  readonly costWei: bigint;
  readonly exact: boolean;
  readonly servedMs: number;
  readonly firstTokenMs: number | undefined;
  readonly unitsIn: number;
  readonly unitsOut: number;
  /** "ok", or the error's code. */
  readonly outcome: string;
  readonly finishReason: string | undefined;
  readonly attempts: readonly AttemptRecord[];
  readonly receipt: unknown;
  /** Why this provider, for people. */
  readonly choice: unknown;
}

/** Every wei, kept. Writing never delays an answer. */
export interface Ledger {
  begin(request: RequestRecord): void;
  finish(requestId: string, result: RequestResult): void;
  opened(cover: Cover, from: Cover | undefined): void;
  toppedUp(cover: Cover): void;
  ended(cover: Cover, ending: Ending): void;
  transaction(transaction: PaymentTransaction): void;
  /** A stream or channel of an earlier run that was found on the chain and ended. */
  forgotten(stream: Pick<OpenStream, "id" | "offer" | "ratePerSecond" | "start">, bill: Bill): void;
  /** Resolves when everything so far is stored. */
  flush(): Promise<void>;
}

/** Keeps nothing; for tests of other parts. */
export const noLedger: Ledger = {
  begin() {},
  finish() {},
  opened() {},
  toppedUp() {},
  ended() {},
  transaction() {},
  forgotten() {},
  flush: async () => {},
};
