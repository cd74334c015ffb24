import type { Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { ChatRequest } from "@clawcompute/lib/protocol";
import { isClientFault } from "../gateway/ask.ts";
import type { Wanted } from "../gateway/discovery.ts";
import type { Cover } from "../gateway/streams/cover.ts";
import { askOver, type Reply, type SendOptions } from "./askOver.ts";
import { createCandidates } from "./candidates.ts";
import type { ConversationOptions } from "./conversationTerms.ts";
import { type ConversationState, createOpenStream } from "./openStream.ts";

/** One question and what became of it. */
export interface Turn extends Reply {
  /** Providers that were given up before their first word. */
  readonly attempts: readonly { readonly providerId: number; readonly code: string }[];
}

/** Answers over one stream after another; at most one is open. Calls wait for each other. */
export interface Conversation {
  /** Throws when no provider was asked; from then on `failure` tells what went wrong. */
  send(messages: ChatRequest["messages"], wanted: Wanted, options: SendOptions): Promise<Turn>;
  /** One look at the open stream: it is settled before its time runs out unused. */
  tick(): Promise<void>;
  /** Settles the open stream, if there is one. Throws when it may still be open. */
  end(): Promise<void>;
  state(): ConversationState;
}

const MAX_PAID_ATTEMPTS = 3;
/** Refusals that mean the stream, not the provider. */
const staleCodes = [
  "TOKEN_UNKNOWN",
  "TOKEN_EXPIRED",
  "TOKEN_MISSING",
  "STREAM_ENDED",
  "STREAM_SETTLING",
  "STREAM_UNKNOWN",
  "RUNWAY_TOO_SHORT",
];

export function createConversation(options: ConversationOptions): Conversation {
  const stream = createOpenStream(options);
  const failedBefore = new Set<number>();
  let queue: Promise<unknown> = Promise.resolve();

  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  };

  async function send(messages: ChatRequest["messages"], wanted: Wanted, sending: SendOptions): Promise<Turn> {
    const { signal } = sending;
    const attempts: { providerId: number; code: string }[] = [];
    let last: Reply | undefined;
    let refused: AppError | undefined;
    const giveUp = (offer: Offer, error: AppError) => {
      refused = error;
      failedBefore.add(offer.id);
      attempts.push({ providerId: offer.id, code: error.code });
      options.observer.failed(offer, error);
    };
    const candidates = createCandidates(options, wanted, failedBefore, { signal, giveUp });
    const begin = async (offer: Offer): Promise<Cover | undefined> => {
      const cover = await stream.begin(offer);
      if (cover instanceof AppError) {
        giveUp(offer, cover);
        return undefined;
      }
      try {
        await options.rail.connect(cover);
        return cover;
      } catch (thrown) {
        giveUp(offer, AppError.from(thrown));
        await stream.end();
        return undefined;
      }
    };

    let stale = 0;
    for (let tried = 0; tried < MAX_PAID_ATTEMPTS && !signal.aborted; ) {
      let cover = await stream.reuse(wanted);
      if (!cover) {
        const offer = await candidates.next();
        if (!offer) break;
        tried += 1;
        cover = await begin(offer);
        if (!cover) continue;
      }
      const used = cover;
      last = await stream.during(used, () => askOver(used, messages, sending, options));
      const { failure, answer } = last;
      if (!failure || (answer?.text ?? "") !== "" || failure.code === "ABORTED" || isClientFault(failure)) break;
      if (staleCodes.includes(failure.code) && stale === 0) {
        stale += 1;
        candidates.again(used.offer);
      } else giveUp(used.offer, failure);
      await stream.end();
    }
    const left = stream.current();
    if (last?.failure?.code === "PROVIDER_DISHONEST" && left) {
      failedBefore.add(left.offer.id);
      await stream.end();
    }
    if (last) return { ...last, attempts };
    if (signal.aborted) throw new AppError("ABORTED", "Stopped on request.", { cause: signal.reason });
    throw refused ?? new AppError("NO_PROVIDER", "No provider could be asked.");
  }

  return {
    send: (messages, wanted, sending) => alone(() => send(messages, wanted, sending)),
    tick: () => alone(stream.tick),
    end: () => alone(stream.end),
    state: stream.state,
  };
}
