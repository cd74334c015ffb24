import type { Clock } from "@clawcompute/lib/node";
import type { Backend } from "./backend.ts";
import { createEchoBackend, type EchoConfig } from "./echo.ts";
import { createGroqBackend, type GroqConfig } from "./groq.ts";
import { createLlamaBackend, type LlamaConfig } from "./llama.ts";
import { createOpenaiBackend, type OpenaiConfig } from "./openai.ts";

export type { Backend } from "./backend.ts";
export type { UpstreamTimeouts } from "./upstreamWatch.ts";
export type { EchoConfig, GroqConfig, LlamaConfig, OpenaiConfig };
export type BackendConfig = LlamaConfig | OpenaiConfig | GroqConfig | EchoConfig;

export interface BackendDeps {
  readonly clock: Clock;
}

/** The engine that the configuration names. Throws CONFIG_INVALID; nothing is loaded or asked before `check` or the first request. */
export function createBackend(config: BackendConfig, deps: BackendDeps): Backend {
  switch (config.kind) {
    case "llama":
      return createLlamaBackend(config, deps);
    case "openai":
      return createOpenaiBackend(config, deps);
    case "groq":
      return createGroqBackend(config, deps);
    case "echo":
      return createEchoBackend(config, deps);
  }
}
