import { readSettings } from "@clawcompute/lib/config/env";
import { AppError, fromProblem } from "@clawcompute/lib/errors";
import { settings } from "./config.ts";

type Env = Readonly<Record<string, string | undefined>>;

const WITHIN_MS = 30_000;

/** One question to the running gateway. Throws its own error, or GATEWAY_UNREACHABLE. */
export async function askGateway(env: Env, path: string, init: { readonly method?: "GET" | "POST" } = {}): Promise<Response> {
  const { gatewayUrl, port, token } = readSettings({ gatewayUrl: settings.gatewayUrl, port: settings.port, token: settings.token }, env);
  const base = gatewayUrl ?? `http://127.0.0.1:${port}`;
  let response: Response;
  try {
    response = await fetch(`${base}${path}`, {
      method: init.method ?? "GET",
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(WITHIN_MS),
    });
  } catch (cause) {
    throw new AppError("GATEWAY_UNREACHABLE", `No gateway answers at ${base}.`, { cause });
  }
  if (response.ok) return response;
  throw fromProblem(await response.json().catch(() => undefined), response.status);
}
