import { open } from "node:fs/promises";
import { AppError } from "@clawcompute/lib/errors";
import type { ChatHistoryItem, ChatWrapper, Llama, LlamaContext, LlamaModel, Token } from "node-llama-cpp";

export interface LlamaConfig {
  readonly kind: "llama";
  readonly ggufPath: string;
  /** Tokens of conversation and answer together, for each slot. Default: what the model was made for, at most 8192. */
  readonly contextTokens?: number;
  /** Answers at the same time. Default 2. */
  readonly slots?: number;
  /** CPU threads. Default 1: more threads than free cores are many times slower, because they spin while they wait. */
  readonly threads?: number;
  /** Default false: CPU only. */
  readonly gpu?: false | "auto";
}

/** One model file, loaded. */
export interface LlamaEngine {
  readonly llama: Llama;
  readonly context: LlamaContext;
  readonly wrapper: ChatWrapper;
  readonly library: typeof import("node-llama-cpp");
  /** The conversation in the model's own chat template, ready for the answer to follow. */
  tokensOf(history: readonly ChatHistoryItem[]): Token[];
  /** Text as the model reads it from its very beginning. */
  textTokens(text: string): Token[];
  dispose(): Promise<void>;
}

const MAX_CONTEXT = 8192;

/** Loads the engine and the model. Throws CONFIG_INVALID naming what is missing. */
export async function loadLlamaEngine(config: LlamaConfig): Promise<LlamaEngine> {
  await checkFile(config.ggufPath);
  const library = await loadLibrary();
  const threads = config.threads ?? 1;
  let complaint = "";
  const llama = await library
    .getLlama({
      gpu: config.gpu ?? false,
      build: "never",
      progressLogs: false,
      maxThreads: threads,
      logLevel: library.LlamaLogLevel.error,
      logger: (_, message) => {
        complaint ||= message.trim();
      },
    })
    .catch((cause) => {
      throw missing("no build of llama.cpp for this machine is installed", cause);
    });
  try {
    const model = await llama.loadModel({ modelPath: config.ggufPath });
    const contextSize = config.contextTokens ?? Math.min(model.trainContextSize, MAX_CONTEXT);
    const context = await model.createContext({ contextSize, sequences: config.slots ?? 2, threads });
    const wrapper = library.resolveChatWrapper(model, { warningLogs: false });
    return {
      llama,
      context,
      wrapper,
      library,
      tokensOf: tokenizer(model, wrapper),
      textTokens: textTokenizer(model),
      dispose: () => llama.dispose(),
    };
  } catch (cause) {
    await llama.dispose();
    throw new AppError(
      "CONFIG_INVALID",
      `The model file ${config.ggufPath} cannot be loaded: ${complaint.slice(0, 200) || reasonOf(cause)}`,
      {
        param: "ggufPath",
        hint: "Check that it is a whole GGUF file of a text model and that the context fits into memory.",
        cause,
      },
    );
  }
}

/** The engine's own reader spends seconds on a file that only begins like a model, so its head is looked at first. */
async function checkFile(path: string): Promise<void> {
  const head = Buffer.alloc(24);
  try {
    await using file = await open(path, "r");
    await file.read(head, 0, head.length, 0);
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", `The model file ${path} cannot be read.`, {
      param: "ggufPath",
      hint: "Give the path of a GGUF file that this process may read.",
      cause,
    });
  }
  const [version, tensors, entries] = [head.readUInt32LE(4), head.readBigUInt64LE(8), head.readBigUInt64LE(16)];
  if (head.toString("latin1", 0, 4) === "GGUF" && version <= 3 && tensors <= 1_000_000n && entries <= 1_000_000n) return;
  throw new AppError("CONFIG_INVALID", `The model file ${path} is not a GGUF file.`, {
    param: "ggufPath",
    hint: "Give a model in the GGUF format, version 2 or 3; convert others with llama.cpp's tools.",
  });
}

function tokenizer(model: LlamaModel, wrapper: ChatWrapper): LlamaEngine["tokensOf"] {
  return (history) => {
    const open: readonly ChatHistoryItem[] = history.at(-1)?.type === "model" ? history : [...history, { type: "model", response: [] }];
    return wrapper.generateContextState({ chatHistory: open }).contextText.tokenize(model.tokenizer);
  };
}

function textTokenizer(model: LlamaModel): LlamaEngine["textTokens"] {
  const { bos, shouldPrependBosToken } = model.tokens;
  return (text) => {
    const start = shouldPrependBosToken && bos !== null ? [bos] : [];
    return [...start, ...model.tokenize(text, false, start.length > 0 ? "trimLeadingSpace" : undefined)];
  };
}

const loadLibrary = () =>
  import("node-llama-cpp").catch((cause) => {
    throw missing("node-llama-cpp is not installed", cause);
  });

function missing(reason: string, cause: unknown): AppError {
  return new AppError("CONFIG_INVALID", `The embedded engine cannot start: ${reason}.`, {
    hint: "Run npm install again on this machine, or use an OpenAI-compatible server instead.",
    cause,
  });
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).slice(0, 200);
