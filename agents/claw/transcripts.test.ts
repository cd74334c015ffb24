import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEchoBackend } from "../provider/backends/echo.ts";
import { startProvider, type TestProvider } from "../provider/testing/startProvider.ts";

const document = join(import.meta.dirname, "..", "..", "docs", "cli.md");
const cli = join(import.meta.dirname, "..", "cli.ts");
let local: LocalChain;
let provider: TestProvider;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "claw-docs-"));
  local = await startLocalChain();
  const offers = [{ model: "echo", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 20 }) }];
  provider = await startProvider({ local, owner: devAccounts[1] as LocalAccount, offers });
}, 60_000);
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

/** A line as a person types it; both outputs in the order in which they were written. */
function type(line: string): Promise<string> {
  const child = spawn("bash", ["-c", `exec 2>&1; claw() { '${process.execPath}' '${cli}' "$@"; }; ${line}`], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, RPC_URL: local.rpcUrl },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  return new Promise((resolve) => child.once("close", () => resolve(out.endsWith("\n") || out === "" ? out : `${out}\n`)));
}

/** What differs from run to run: hashes, times, amounts that follow from times, ports, and the widths of columns. */
const stable = (text: string): string =>
  text
    .replace(/0x[0-9a-f]{64}/g, "<hash>")
    .replace(/127\.0\.0\.1:(?!1\b|8700\b)\d+|localhost:\d+/g, "<host>")
    .replace(/\d+\.\d+ (ETH|s\b)/g, "<n> $1")
    .replace(/\d+ ms/g, "<ms>")
    .replace(/block \(\d+\) is -?<n> s/g, "block (<n>) is <n> s")
    .replace(/\(\d+ units\)/g, "(<gas>)")
    .replace(/lasts \d+ s/g, "lasts <s>")
    .replace(/^(ok +node +)v.*$/gm, "$1<version>")
    .replace(/[ \t]+/g, " ")
    .trimEnd();

interface Part {
  readonly prose?: string;
  readonly steps?: readonly { readonly line: string; readonly shown: string }[];
}

function partsOf(text: string): Part[] {
  return text.split(/^```console\n([\s\S]*?)^```$/m).map((part, index): Part => {
    if (index % 2 === 0) return { prose: part };
    const steps = part.split(/^\$ /m).slice(1);
    return { steps: steps.map((step) => ({ line: step.slice(0, step.indexOf("\n")), shown: step.slice(step.indexOf("\n") + 1) })) };
  });
}

describe("docs/cli.md", () => {
  // UPDATE_DOCS=1 records it anew.
  it("behavior: shows what claw really prints", { timeout: 180_000 }, async () => {
    const replayed: string[] = [];
    const differences: { line: string; shown: string; printed: string }[] = [];
    for (const { prose, steps } of partsOf(readFileSync(document, "utf8"))) {
      if (!steps) replayed.push(prose ?? "");
      else {
        let block = "";
        for (const { line, shown } of steps) {
          const printed = await type(line);
          if (stable(shown) !== stable(printed)) differences.push({ line, shown: stable(shown), printed: stable(printed) });
          block += `$ ${line}\n${printed}`;
        }
        replayed.push(`\`\`\`console\n${block}\`\`\``);
      }
    }
    if (process.env.UPDATE_DOCS === "1") writeFileSync(document, replayed.join(""));
    else expect(differences).toEqual([]);
  });
});
