import { AppError } from "@clawcompute/lib/errors";
import type { Engine, Machine } from "./detect.ts";

export interface SetupChoice {
  readonly backend?: "llama" | "openai" | "groq" | "echo" | undefined;
  readonly inferenceUrl?: string | undefined;
  readonly ggufPath?: string | undefined;
  /** What the engine calls the model; by default the first one it lists. */
  readonly inferenceModel?: string | undefined;
  /** As the registry lists it; by default the engine's name. */
  readonly model?: string | undefined;
}

export interface BackendPlan {
  readonly backend: "llama" | "openai" | "groq" | "echo";
  /** The lines of the env file that name the engine and its model. */
  readonly values: Readonly<Record<string, string>>;
  readonly why: string;
}

export interface Missing {
  readonly what: string;
  readonly remedy: string;
  /** False: nothing real can be served without it. */
  readonly optional: boolean;
}

const GROQ_MODEL = "llama-3.3-70b-versatile";

/** What was asked for, else the first engine here that has a model, else echo. Throws BAD_REQUEST naming what a choice lacks. */
export function planBackend(machine: Machine, choice: SetupChoice): BackendPlan {
  const kind = choice.backend ?? (choice.ggufPath ? "llama" : choice.inferenceUrl ? "openai" : undefined);
  if (kind === "llama") {
    if (!choice.ggufPath) throw needs("gguf", "--backend llama needs --gguf FILE.");
    const name = choice.ggufPath.replace(/^.*[\\/]/, "").replace(/\.gguf$/i, "");
    return {
      backend: "llama",
      values: { GGUF_PATH: choice.ggufPath, MODEL_NAME: listed(choice.model ?? name) },
      why: "you named a model file",
    };
  }
  if (kind === "groq") {
    const inner = choice.inferenceModel ?? choice.model ?? GROQ_MODEL;
    return { backend: "groq", values: named(inner, choice), why: "you chose Groq; put its key into the file yourself" };
  }
  if (kind === "echo")
    return { backend: "echo", values: { MODEL_NAME: listed(choice.model ?? "echo") }, why: "you chose echo, which has no model" };

  const engine =
    machine.engines.find(({ baseUrl }) => baseUrl === choice.inferenceUrl) ?? machine.engines.find(({ models }) => models.length > 0);
  if (choice.inferenceUrl && engine?.baseUrl !== choice.inferenceUrl) {
    const inner = choice.inferenceModel ?? choice.model;
    if (!inner) throw needs("inference-model", "This server lists no models here; name one with --inference-model.");
    return { backend: "openai", values: { INFERENCE_URL: choice.inferenceUrl, ...named(inner, choice) }, why: "you named a server" };
  }
  if (engine) return planEngine(engine, choice);
  if (kind === "openai") throw needs("inference-url", "No model server answers on this machine; name one with --inference-url.");
  return {
    backend: "echo",
    values: { MODEL_NAME: listed(choice.model ?? "echo") },
    why: "nothing with a model was found; echo lets you try the rest",
  };
}

function planEngine(engine: Engine, choice: SetupChoice): BackendPlan {
  const inner = choice.inferenceModel ?? engine.models[0];
  if (!inner) throw needs("inference-model", `${engine.name} has no model yet.`);
  if (!engine.models.includes(inner) && !engine.models.includes(`${inner}:latest`)) {
    throw needs("inference-model", `${engine.name} does not offer that model.`, `It offers: ${engine.models.slice(0, 10).join(", ")}.`);
  }
  return {
    backend: "openai",
    values: { INFERENCE_URL: engine.baseUrl, ...named(inner, choice) },
    why: `${engine.name} answers with ${inner}`,
  };
}

const named = (inner: string, { model }: SetupChoice) => ({
  INFERENCE_MODEL: inner,
  MODEL_NAME: listed(model ?? inner.replace(/:latest$/, "")),
});

/** The registry takes names of up to 64 bytes; a path before the name is the operator's own business. */
function listed(name: string): string {
  const short = name.startsWith("/") || name.includes("\\") ? name.replace(/^.*[\\/]/, "") : name;
  if (Buffer.byteLength(short) <= 64 && short !== "") return short;
  throw needs("model", "The registry lists names of up to 64 bytes; give a shorter one with --model.");
}

/** What would make this machine serve more or better, most important first. */
export function planMissing(machine: Machine): readonly Missing[] {
  const { gpus, docker, engines, ollamaInstalled, node, embedded } = machine;
  const list: Missing[] = [];
  const add = (what: string, remedy: string, optional = true) => list.push({ what, remedy, optional });
  if (!node.supported) add(`a newer Node than ${node.version}`, "Install Node 24; 20 is the oldest that works.", false);
  const pull = `ollama pull ${suggestedModel(machine)}`;
  if (!engines.some(({ models }) => models.length > 0)) {
    if (engines.some(({ name }) => name === "ollama")) add("a model: Ollama runs without one", pull, false);
    else if (ollamaInstalled) add("Ollama running: it is installed but does not answer", `ollama serve, then ${pull}`, false);
    else add("a model server that answers on this machine", `Install Ollama from https://ollama.com/download, then ${pull}.`, false);
  }
  if (gpus.length > 0) {
    if (!docker) add("Docker, which runs vLLM on this GPU", "Install Docker Engine: https://docs.docker.com/engine/install/");
    else if (docker.running && !docker.nvidiaRuntime)
      add(
        "NVIDIA Container Toolkit, without which no container sees the GPU",
        "Install it, then: sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker",
      );
  }
  if (docker && !docker.running)
    add("Docker running: it is installed but does not answer", "Start it, or add your user to the docker group.");
  if (gpus.length === 0) add("an NVIDIA GPU", "Not needed: without one, run Ollama directly on this machine, not in a container.");
  if (!embedded) add("the embedded engine for GGUF files", "Run npm install again on this machine.");
  return list;
}

/** A model of a size that this machine can answer with at a useful pace. */
export function suggestedModel({ gpus, memory }: Machine): string {
  const video = gpus.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
  if (video >= 44_000) return "llama3.3:70b";
  if (video >= 8_000 || memory.totalMiB >= 24_000) return "llama3.1:8b";
  return memory.totalMiB >= 6_000 ? "llama3.2:3b" : "llama3.2:1b";
}

function needs(param: string, message: string, hint?: string): AppError {
  return new AppError("BAD_REQUEST", message, { param, ...(hint ? { hint } : {}) });
}
