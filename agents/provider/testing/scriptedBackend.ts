import type { ChatRequest } from "@clawcompute/lib/protocol";
import type { Backend } from "../backends/backend.ts";

/** One request that has reached the engine, driven word by word from a test. */
export interface ScriptedCall {
  readonly request: ChatRequest;
  readonly signal: AbortSignal;
  /** Resolves when the provider has told the engine to stop. */
  readonly aborted: Promise<void>;
  role(): void;
  say(text: string): void;
  push(chunk: unknown): void;
  finish(reason?: string): void;
  usage(promptTokens: number, completionTokens: number): void;
  /** The engine ends, with or without having finished. */
  end(): void;
  fail(error: unknown): void;
}

export interface ScriptedBackend extends Backend {
  /** The next request to reach the engine. */
  nextCall(): Promise<ScriptedCall>;
  readonly calls: readonly ScriptedCall[];
}

type Step = { data: string } | { error: unknown } | "end";

/** An engine that does what the test says, also what no engine should. */
export function createScriptedBackend(): ScriptedBackend {
  const calls: ScriptedCall[] = [];
  const ready: ScriptedCall[] = [];
  const waiting: ((call: ScriptedCall) => void)[] = [];

  return {
    name: "echo",
    check: async () => {},
    close: async () => {},
    calls,
    nextCall: async () => ready.shift() ?? new Promise((resolve) => waiting.push(resolve)),
    async *chat(request, signal) {
      const steps: Step[] = [];
      let wake = () => {};
      const add = (step: Step) => {
        steps.push(step);
        wake();
      };
      const push = (chunk: unknown) => add({ data: typeof chunk === "string" ? chunk : JSON.stringify(chunk) });
      const choice = (delta: unknown, finish_reason: string | null = null) =>
        push({
          id: "c-1",
          object: "chat.completion.chunk",
          created: 1,
          model: request.model,
          choices: [{ index: 0, delta, finish_reason }],
        });
      const call: ScriptedCall = {
        request,
        signal,
        aborted: new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
        role: () => choice({ role: "assistant", content: "" }),
        say: (content) => choice({ content }),
        push,
        finish: (reason = "stop") => choice({}, reason),
        usage: (prompt_tokens, completion_tokens) =>
          push({
            id: "c-1",
            object: "chat.completion.chunk",
            created: 1,
            model: request.model,
            choices: [],
            usage: { prompt_tokens, completion_tokens },
          }),
        end: () => add("end"),
        fail: (error) => add({ error }),
      };
      calls.push(call);
      const taker = waiting.shift();
      if (taker) taker(call);
      else ready.push(call);
      for (;;) {
        const step = steps.shift();
        if (step === "end") return;
        if (step && "error" in step) throw step.error;
        if (step) yield step.data;
        else {
          signal.throwIfAborted();
          await new Promise<void>((resolve) => {
            wake = resolve;
            signal.addEventListener("abort", () => resolve(), { once: true });
          });
        }
      }
    },
  };
}
