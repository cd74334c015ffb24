import type { CommandContext } from "../command.ts";
import { type GatewayFlags, main } from "../gateway/serve/main.ts";

/** `claw up`: the gateway, for a person: how to use it once it runs, and only what goes wrong after that. */
export function upMain(flags: GatewayFlags, context: CommandContext): Promise<number> {
  const env = { ...context.env, GATEWAY_LOG_LEVEL: context.env.GATEWAY_LOG_LEVEL || "warn" };
  return main(flags, { ...context, env }, (url) => context.terminal.err(hints(url)));
}

const hints = (url: string): string => `
  any OpenAI client   base URL ${url}/v1, any API key, model auto
  any Ollama client   OLLAMA_HOST=${new URL(url).host}
  OpenClaw            claw openclaw --write
  what it costs       claw spend        what it chooses   claw why
  Ctrl-C settles every stream and ends it

`;
