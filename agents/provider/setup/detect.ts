import { createRequire } from "node:module";
import os from "node:os";
import { z } from "zod";
import type { SetupTools } from "./tools.ts";

export interface Gpu {
  readonly name: string;
  readonly memoryMiB: number;
  readonly driver: string;
}

export type EngineName = "ollama" | "vllm" | "llama.cpp" | "lmstudio" | "other";

/** A server with models that answers on this machine. */
export interface Engine {
  readonly name: EngineName;
  /** For INFERENCE_URL. */
  readonly baseUrl: string;
  readonly models: readonly string[];
}

/** What this machine has. */
export interface Machine {
  readonly os: { readonly platform: string; readonly release: string; readonly arch: string };
  readonly node: { readonly version: string; readonly supported: boolean };
  readonly cpu: { readonly model: string; readonly cores: number };
  readonly memory: { readonly totalMiB: number; readonly freeMiB: number };
  readonly gpus: readonly Gpu[];
  /** Undefined: not installed. `running` false: installed, but its service does not answer. */
  readonly docker: { readonly running: boolean; readonly version: string | undefined; readonly nvidiaRuntime: boolean } | undefined;
  readonly ollamaInstalled: boolean;
  readonly engines: readonly Engine[];
  /** The engine inside the provider, which runs GGUF files without any server. */
  readonly embedded: boolean;
}

export interface Places {
  readonly ollama: string;
  readonly vllm: string;
  readonly llamaCpp: string;
  readonly lmstudio: string;
  /** INFERENCE_URL, if it is set already. */
  readonly given?: string | undefined;
}

export const defaultPlaces: Places = {
  ollama: "http://127.0.0.1:11434",
  vllm: "http://127.0.0.1:8000",
  llamaCpp: "http://127.0.0.1:8080",
  lmstudio: "http://127.0.0.1:1234",
};

/** Looks at everything at once; what does not answer in time counts as absent. */
export async function detectMachine(tools: SetupTools, places: Places = defaultPlaces): Promise<Machine> {
  const [gpus, docker, ollamaVersion, ...engines] = await Promise.all([
    detectGpus(tools),
    detectDocker(tools),
    tools.run("ollama", ["--version"]),
    detectOllama(tools, places.ollama),
    ...(["vllm", "llamaCpp", "lmstudio"] as const).map((place) => detectOpenai(tools, place, `${places[place]}/v1`)),
    places.given === undefined ? undefined : detectOpenai(tools, "given", places.given),
  ]);
  const found = engines.filter((engine) => engine !== undefined);
  const [cpu] = os.cpus();
  return {
    os: { platform: os.platform(), release: os.release(), arch: os.arch() },
    node: { version: process.versions.node, supported: Number(process.versions.node.split(".")[0]) >= 20 },
    cpu: { model: cpu?.model.trim() ?? "unknown", cores: os.availableParallelism() },
    memory: { totalMiB: mebibytes(os.totalmem()), freeMiB: mebibytes(os.freemem()) },
    gpus,
    docker,
    ollamaInstalled: ollamaVersion !== undefined || found.some(({ name }) => name === "ollama"),
    // The place that was named goes first; the same place is listed once.
    engines: [...found.filter(({ name }) => name === "other"), ...found.filter(({ name }) => name !== "other")].filter(
      ({ baseUrl }, index, list) => list.findIndex((other) => other.baseUrl === baseUrl) === index,
    ),
    embedded: hasEmbedded(),
  };
}

async function detectGpus(tools: SetupTools): Promise<readonly Gpu[]> {
  const text = await tools.run("nvidia-smi", ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]);
  return (text ?? "")
    .split("\n")
    .map((line) => line.split(",").map((cell) => cell.trim()))
    .filter((cells) => cells.length === 3 && /^\d+$/.test(cells[1] ?? ""))
    .map(([name = "", memory, driver = ""]) => ({ name, memoryMiB: Number(memory), driver }));
}

const dockerReport = z.looseObject({ ServerVersion: z.string().optional(), Runtimes: z.record(z.string(), z.unknown()).nullish() });

async function detectDocker(tools: SetupTools): Promise<Machine["docker"]> {
  const [client, report] = await Promise.all([tools.run("docker", ["--version"]), tools.run("docker", ["info", "--format", "{{json .}}"])]);
  if (client === undefined && report === undefined) return undefined;
  const parsed = dockerReport.safeParse(parseJson(report));
  const version = parsed.success ? parsed.data.ServerVersion : undefined;
  return { running: version !== undefined, version, nvidiaRuntime: parsed.success && "nvidia" in (parsed.data.Runtimes ?? {}) };
}

const ollamaTags = z.looseObject({ models: z.array(z.looseObject({ name: z.string() })) });

async function detectOllama(tools: SetupTools, origin: string): Promise<Engine | undefined> {
  const tags = ollamaTags.safeParse(await tools.get(`${origin}/api/tags`));
  if (!tags.success) return undefined;
  return { name: "ollama", baseUrl: `${origin}/v1`, models: tags.data.models.map(({ name }) => name) };
}

const openaiModels = z.looseObject({ data: z.array(z.looseObject({ id: z.string(), owned_by: z.string().optional() })) });
const owners: Readonly<Record<string, EngineName>> = { vllm: "vllm", llamacpp: "llama.cpp" };
const usual: Readonly<Record<string, EngineName>> = { vllm: "vllm", llamaCpp: "llama.cpp", lmstudio: "lmstudio" };

/** A server tells who it is by `owned_by`; else its usual port does. */
async function detectOpenai(tools: SetupTools, place: string, baseUrl: string): Promise<Engine | undefined> {
  const listed = openaiModels.safeParse(await tools.get(`${baseUrl}/models`));
  if (!listed.success) return undefined;
  const [first] = listed.data.data;
  const name = owners[first?.owned_by ?? ""] ?? usual[place] ?? "other";
  return { name: place === "given" ? "other" : name, baseUrl, models: listed.data.data.map(({ id }) => id) };
}

function hasEmbedded(): boolean {
  try {
    createRequire(import.meta.url).resolve("node-llama-cpp");
    return true;
  } catch {
    return false;
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

const mebibytes = (bytes: number): number => Math.round(bytes / 1_048_576);
