import type { Chain, Offer, StreamState } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { type Conversation, type ConversationEvent, newConversation, nextConversation } from "./conversation.ts";
import type { KeptConversations } from "./keptConversations.ts";
import type { OpeningStep, Payer, PaymentWay } from "./payment.ts";
import { wayOf } from "./ways.ts";
import { TOLERANCE_MS } from "./wayTerms.ts";

export type Phase = "idle" | OpeningStep | "answering" | "ending";

/** What a conversation is doing now; not kept. */
export interface Activity {
  readonly phase: Phase;
  readonly error: AppError | undefined;
  /** `performance.now()` since when an answer is being worked on. */
  readonly answeringSince: number | undefined;
}

export interface DeskState {
  /** Newest first. */
  readonly conversations: readonly Conversation[];
  readonly activities: ReadonlyMap<string, Activity>;
}

export interface Asking {
  readonly payer: Payer;
  readonly offer: Offer;
  readonly seconds: number;
  readonly way: PaymentWay;
}

const idle: Activity = { phase: "idle", error: undefined, answeringSince: undefined };
const SAVE_MS = 400;

type Reading = typeof import("./answerQuestion.ts");
/** The checks of strangers' answers: a third of this page's script, and nothing before the first question. */
const reading = (): Promise<Reading> => import("./answerQuestion.ts");

export const activityOf = ({ activities }: DeskState, id: string | undefined): Activity => (id && activities.get(id)) || idle;

/**
 * Every conversation of one payer. It lives beside the pages, not in one: an answer goes on while its reader looks at another page, and
 * the newest state is on disk whenever the tab is closed.
 */
export class Desk {
  #state: DeskState;
  readonly #listeners = new Set<() => void>();
  readonly #aborts = new Map<string, AbortController>();
  readonly #answers = new Map<string, Promise<void>>();
  readonly #unsaved = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #chain: Chain;
  readonly #kept: KeptConversations;

  constructor(chain: Chain, kept: KeptConversations) {
    this.#chain = chain;
    this.#kept = kept;
    this.#state = { conversations: kept.load(), activities: new Map() };
    for (const conversation of this.#state.conversations) this.#findReceipt(conversation);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  snapshot = (): DeskState => this.#state;
  conversation = (id: string): Conversation | undefined => this.#state.conversations.find((known) => known.id === id);

  create(): string {
    const fresh = newConversation(crypto.randomUUID(), Date.now());
    this.#set({ conversations: [fresh, ...this.#state.conversations] });
    return fresh.id;
  }

  /** Its answer is stopped; what it paid with stays open and is found under My streams. */
  remove(id: string): void {
    this.stop(id);
    this.#unsaved.delete(id);
    this.#kept.remove(id);
    this.#set({ conversations: this.#state.conversations.filter((known) => known.id !== id) });
  }

  /** Opens a payment first when there is none. */
  async ask(id: string, text: string, { payer, offer, seconds, way }: Asking): Promise<void> {
    await this.#run(id, async () => {
      // Before any money moves: without it no answer could be read.
      const { answerQuestion } = await reading();
      if (!this.conversation(id)?.payment) {
        this.#act(id, { phase: "opening" });
        const opened = await way.open(payer, offer, seconds, (step) => this.#act(id, { phase: step }));
        this.#change(id, { kind: "opened", opened });
      }
      const answer = this.#answer(id, text, answerQuestion);
      this.#answers.set(id, answer);
      await answer;
    });
  }

  /** The provider sees it at once: the model and its meter stop. */
  stop(id: string): void {
    this.#aborts.get(id)?.abort();
  }

  /** Stops what is under way, pays what was served, brings the rest back. */
  async end(id: string, payer: Payer): Promise<void> {
    await this.#run(id, async () => {
      const before = this.conversation(id);
      if (!before?.payment) return;
      this.stop(id);
      await this.#answers.get(id);
      this.#act(id, { phase: "ending" });
      const { payment = before.payment, servedMs, turns } = this.conversation(id) ?? before;
      const answers = turns.filter(({ role }) => role === "assistant").length;
      const ending = await wayOf(payment).end(payer, payment, servedMs + answers * TOLERANCE_MS);
      this.#change(id, { kind: "ended", ending });
    });
  }

  /** A conversation that goes on paying by a stream found on the chain. Asks for one signature. */
  async adopt(found: StreamState, payer: Payer): Promise<string> {
    const { resumeStream } = await import("./streamWay.ts");
    const opened = await resumeStream(payer, found);
    const id = this.create();
    this.#change(id, { kind: "opened", opened });
    return id;
  }

  /** It was ended or changed elsewhere: on another page, by the provider, by a keeper. */
  observe(id: string, event: Extract<ConversationEvent, { kind: "ended" | "topped up" }>): void {
    if (activityOf(this.#state, id).phase === "idle" && this.conversation(id)?.payment) this.#change(id, event);
  }

  dismissError(id: string): void {
    this.#act(id, { error: undefined });
  }

  /** Writes what is not yet on disk. */
  flush = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const id of this.#unsaved) {
      const conversation = this.conversation(id);
      if (conversation) this.#kept.save(conversation);
    }
    this.#unsaved.clear();
  };

  async #answer(id: string, text: string, answerQuestion: Reading["answerQuestion"]): Promise<void> {
    const conversation = this.conversation(id);
    if (!conversation?.payment) return;
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    this.#change(id, { kind: "asked", text, at: Date.now() });
    this.#act(id, { phase: "answering", answeringSince: performance.now() });
    try {
      await answerQuestion(this.#chain, conversation, text, abort.signal, {
        change: (event) => this.#change(id, event),
        stopped: () => this.#act(id, { answeringSince: undefined }),
      });
    } finally {
      this.#aborts.delete(id);
      this.#act(id, { answeringSince: undefined });
    }
  }

  /** Of an answer that was coming when the page was left. */
  async #findReceipt({ id, payment, turns, servedMs }: Conversation): Promise<void> {
    const last = turns.at(-1);
    if (!payment || last?.state !== "cut" || last.receipt || last.requestId === undefined) return;
    const { lateReceipt } = await reading();
    const receipt = await lateReceipt(this.#chain, payment, last.requestId, ({ previousReceiptHash }) => {
      // Nobody here watched its whole time: the wall clock since it was asked bounds it.
      return { measuredMs: Date.now() - last.at, previousServedMs: servedMs, previousReceiptHash };
    });
    if (receipt && this.conversation(id)?.turns.at(-1)?.requestId === last.requestId) this.#change(id, { kind: "receipt found", receipt });
  }

  async #run(id: string, work: () => Promise<void>): Promise<void> {
    this.#act(id, { error: undefined });
    try {
      await work();
    } catch (thrown) {
      this.#act(id, { error: AppError.from(thrown) });
    } finally {
      this.#act(id, { phase: "idle" });
    }
  }

  #change(id: string, event: ConversationEvent): void {
    const conversations = this.#state.conversations.map((known) => (known.id === id ? nextConversation(known, event) : known));
    this.#unsaved.add(id);
    this.#set({ conversations });
    if (event.kind !== "text") this.flush();
    else this.#timer ??= setTimeout(this.flush, SAVE_MS);
  }

  #act(id: string, change: Partial<Activity>): void {
    this.#set({ activities: new Map(this.#state.activities).set(id, { ...activityOf(this.#state, id), ...change }) });
  }

  #set(change: Partial<DeskState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}
