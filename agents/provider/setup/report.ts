import type { Machine } from "./detect.ts";
import type { BackendPlan, Missing } from "./planSetup.ts";

export interface CheckReport {
  readonly machine: Machine;
  /** True when a real model can be served as things are. */
  readonly ready: boolean;
  readonly plan: BackendPlan;
  readonly missing: readonly Missing[];
}

/** For a person. */
export function checkText({ machine, ready, plan, missing }: CheckReport): string {
  const { os, node, cpu, memory, gpus, docker, engines, ollamaInstalled, embedded } = machine;
  const rows: [string, string][] = [
    ["system", `${os.platform} ${os.release} (${os.arch})`],
    ["Node", `${node.version}${node.supported ? "" : ": too old"}`],
    ["CPU", `${cpu.model}, ${cpu.cores} cores`],
    ["memory", `${gibibytes(memory.totalMiB)} GiB, ${gibibytes(memory.freeMiB)} free`],
    [
      "GPU",
      gpus.length === 0
        ? "no NVIDIA GPU found"
        : gpus.map((gpu) => `${gpu.name}, ${gibibytes(gpu.memoryMiB)} GiB, driver ${gpu.driver}`).join("; "),
    ],
    ["Docker", dockerText(docker)],
    ...serverRows(engines, ollamaInstalled),
    ["embedded", embedded ? "llama.cpp inside the provider: give it a GGUF file" : "not installed"],
  ];
  const parts = rows.map(([name, value]) => `${name.padEnd(10)}${value}\n`).join("");
  const lacks = missing.map(({ what, remedy, optional }) => `  ${optional ? "could use" : "needs"} ${what}\n    ${remedy}\n`).join("");
  const verdict = ready ? `ready: ${plan.why}\n` : `not ready to serve a model: ${plan.why}\n`;
  return `${parts}\n${lacks}${lacks ? "\n" : ""}${verdict}`;
}

function serverRows(engines: Machine["engines"], ollamaInstalled: boolean): [string, string][] {
  const rows = engines.map(({ name, baseUrl, models }): [string, string] => [
    name,
    `${baseUrl}: ${models.slice(0, 8).join(", ") || "no model"}`,
  ]);
  const seen = (name: string) => engines.some((engine) => engine.name === name);
  if (!seen("ollama")) rows.push(["Ollama", ollamaInstalled ? "installed, does not answer" : "not found"]);
  if (!seen("vllm")) rows.push(["vLLM", "not found"]);
  if (!seen("llama.cpp")) rows.push(["llama.cpp", "no server found"]);
  return rows;
}

function dockerText(docker: Machine["docker"]): string {
  if (!docker) return "not found";
  if (!docker.running) return "installed, does not answer";
  return `${docker.version ?? ""}${docker.nvidiaRuntime ? ", with the NVIDIA runtime" : ", without the NVIDIA runtime"}`;
}

const gibibytes = (mebibytes: number): string => (mebibytes / 1024).toFixed(1);
