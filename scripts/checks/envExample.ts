// .env.example as the programs' own tables of settings have it. `npm run env-example` writes it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dashboardSettings } from "@clawcompute/lib/config/dashboard";
import { optional, type Settings, text } from "@clawcompute/lib/config/env";
import { networkSettings } from "@clawcompute/lib/config/network";
import { settings as claw } from "../../agents/claw/config.ts";
import { settings as gateway } from "../../agents/gateway/config.ts";
import { settings as serve } from "../../agents/gateway/serve/config.ts";
import { settings as indexer } from "../../agents/indexer/config.ts";
import { settings as keeper } from "../../agents/keeper/config.ts";
import { settings as provider } from "../../agents/provider/config.ts";
import { settings as wallet } from "../../agents/wallet/config.ts";
import { deploySettings } from "../deploySettings.ts";

const tests: Settings = {
  fuzzRuns: optional(text("FUZZ_RUNS", { describe: "runs of each fuzz test, for deep runs" })),
  chromium: optional(text("CHROMIUM_PATH", { describe: "Chromium or Chrome for the browser tests, where it is not in a usual place" })),
};

/** Every variable by its owner, in the order in which a newcomer meets them. */
export const owners: readonly (readonly [owner: string, settings: Settings])[] = [
  ["every program: the chain", networkSettings],
  ["the claw commands: the wallet", wallet],
  ["claw ask: buying", gateway],
  ["claw gateway: buying for other programs", serve],
  ["the other claw commands", claw],
  ["claw provider: selling", provider],
  ["claw keeper", keeper],
  ["claw indexer", indexer],
  ["the dashboard", dashboardSettings],
  ["npm run deploy", deploySettings],
  ["npm test", tests],
];

const head = `# Every setting, with its default and unit. Copy to .env and change what you need; all of it is optional on the local network.
# Written from the programs' own tables by: npm run env-example
`;

export function renderEnvExample(): string {
  const seen = new Set<string>();
  const sections = owners.map(([owner, settings]) => {
    const entries = Object.values(settings).filter(({ name }) => !seen.has(name) && seen.add(name));
    const lines = entries.map(({ name, describe, unit, fallback, secret }) => {
      const notes = [
        unit ? `unit: ${unit}` : "",
        fallback === undefined ? "no default" : `default: ${fallback}`,
        secret ? "secret" : "",
      ].filter(Boolean);
      return `# ${describe} (${notes.join("; ")})\n#${name}=${fallback ?? ""}`;
    });
    return `\n## ${owner}\n\n${lines.join("\n\n")}\n`;
  });
  return head + sections.join("");
}

export const envExamplePath = join(import.meta.dirname, "../../.env.example");

if (import.meta.main) {
  writeFileSync(envExamplePath, renderEnvExample());
  console.log("wrote .env.example");
}
