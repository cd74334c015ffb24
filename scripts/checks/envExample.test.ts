import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { envExamplePath, owners, renderEnvExample } from "./envExample.ts";

const root = join(import.meta.dirname, "../..");

test("behavior: .env.example is what the programs read", () => {
  expect(readFileSync(envExamplePath, "utf8")).toBe(renderEnvExample());
});

test("behavior: no code reads a variable that is not listed", () => {
  const listed = new Set(owners.flatMap(([, settings]) => Object.values(settings).map(({ name }) => name)));
  // Of the system, of other programs, or handed by our own scripts to the programs they start.
  const foreign = [
    "PATH",
    "HOME",
    "CI",
    "NODE_ENV",
    "NO_COLOR",
    "FORCE_COLOR",
    "DOCKER_HOST",
    "OLLAMA_HOST",
    "NEXT_DIST_DIR",
    "FAULTS_FILE",
    "NETWORK_FILE",
    "DASHBOARD_URL",
    "SCREENSHOTS",
    "OPENCLAW_HOME",
    "OPENCLAW_STATE_DIR",
    "OPENCLAW_CONFIG_PATH",
  ];
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.ts", "*.tsx", "*.mjs"], { cwd: root, encoding: "utf8" });
  const unlisted = files
    .split("\n")
    .filter((file) => file && !/\.(test|e2e|browser)\.tsx?$|^test\/|^benchmarks\/|^lib\/abi/.test(file))
    .flatMap((file) =>
      [...readFileSync(join(root, file), "utf8").matchAll(/\benv\??\.([A-Z][A-Z0-9_]{2,})\b/g)].map(([, name = ""]) => `${file}: ${name}`),
    )
    .filter((entry) => {
      const name = entry.split(": ")[1] ?? "";
      return !listed.has(name) && !foreign.includes(name) && !name.startsWith("NEXT_PUBLIC_");
    });
  expect(unlisted).toEqual([]);
});
