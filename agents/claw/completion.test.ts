import { spawnSync } from "node:child_process";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { completionScript } from "./completion.ts";

/** A small command table with everything that has to be quoted. */
const program = new Command("claw").description("test").option("--version", "show it");
program
  .command("ask")
  .summary('ask: it\'s "quoted" $HOME `x`')
  .argument("<words...>")
  .option("-m, --model <name>", "only this model")
  .option("--json", "JSON");
const wallet = program.command("wallet").summary("the wallet");
wallet.command("new").description("make one").option("-f, --file <path>", "where");
wallet.command("balance").description("look");

function complete(...words: string[]): string[] {
  const script = `${completionScript("bash", program)}
COMP_WORDS=(claw ${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length}
_claw
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return stdout.trim() === "" ? [] : stdout.trim().split("\n");
}

describe("completionScript", () => {
  it("behavior: bash offers commands, then what belongs to the one that was typed", () => {
    expect(complete("")).toEqual(["ask", "wallet", "--version", "--help"]);
    expect(complete("wa")).toEqual(["wallet"]);
    expect(complete("wallet", "")).toEqual(["new", "balance", "--help"]);
    expect(complete("wallet", "new", "--f")).toEqual(["--file"]);
    expect(complete("ask", "-m", "wallet", "--")).toEqual(["--model", "--json", "--help"]);
    expect(complete("nonsense")).toEqual([]);
  });

  it("behavior: zsh and fish get descriptions that cannot end their quotes", () => {
    expect(completionScript("zsh", program)).toContain("'ask:ask - its quoted HOME x'");
    expect(completionScript("zsh", program)).toMatch(/^#compdef claw\n/);
    expect(completionScript("fish", program)).toContain(`complete -c claw -f -n '__claw_at ""' -a ask -d 'ask - its quoted HOME x'`);
    expect(completionScript("fish", program)).toContain(`complete -c claw -n '__claw_at " wallet new"' -l file -s f -r -d 'where'`);
    for (const shell of ["zsh", "fish"] as const) {
      // Every quote that is opened is closed on its own line.
      for (const line of completionScript(shell, program).split("\n")) expect((line.match(/'/g) ?? []).length % 2).toBe(0);
    }
  });

  it("error: another shell is refused", () => {
    expect(() => completionScript("tcsh", program)).toThrow(expect.objectContaining({ code: "BAD_REQUEST", param: "shell" }));
  });
});
