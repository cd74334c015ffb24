import { readSettings } from "@clawcompute/lib/config/env";
import type { CommandContext } from "../command.ts";
import { settings } from "../gateway/serve/config.ts";
import { type GatewayFlags, main } from "../gateway/serve/main.ts";

/** `claw up`: the gateway, and how to use it once it runs. */
export function upMain(flags: GatewayFlags, context: CommandContext): Promise<number> {
  const { terminal, env } = context;
  const port = flags.port ?? readSettings({ port: settings.port }, env).port;
  let told = false;
  const err = (text: string) => {
    terminal.err(text);
    if (told) return;
    told = true;
    terminal.err(hints(port));
  };
  return main(flags, { ...context, terminal: { ...terminal, err } });
}

const hints = (port: number | string): string => `
  any OpenAI client   base URL http://127.0.0.1:${port}/v1, any API key, model auto
  any Ollama client   OLLAMA_HOST=127.0.0.1:${port}
  OpenClaw            claw openclaw --write
  what it costs       claw spend        what it chooses   claw why
  Ctrl-C settles every stream and ends it

`;
