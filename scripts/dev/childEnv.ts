import { join } from "node:path";
import { owners } from "../checks/envExample.ts";

const everySetting = owners.flatMap(([, settings]) => Object.values(settings).map(({ name }) => name));
/** What the parts were compiled to, kept for the next start. */
const compiled = join(import.meta.dirname, "..", "..", ".tools", "compiled");

/**
 * The environment of a part: only the settings named here count. All others are there and empty, which means their default, so
 * that neither the shell nor the checkout's .env (meant for real networks and real keys) reaches the local network.
 */
export function childEnv(settings: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const unset = Object.fromEntries(everySetting.map((name) => [name, ""]));
  return { NODE_COMPILE_CACHE: compiled, ...process.env, ...unset, ...settings };
}
