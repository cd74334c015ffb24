import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { validateSkill } from "./validateSkill.ts";

const skill = join(import.meta.dirname, "clawcompute");
let folder: string;
let copy: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "skill-"));
  copy = join(folder, "clawcompute");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The skill with one thing changed. */
function changed(change: (text: string) => string, more: () => void = () => {}): string[] {
  rmSync(copy, { recursive: true, force: true });
  cpSync(skill, copy, { recursive: true });
  const text = readFileSync(join(copy, "SKILL.md"), "utf8");
  const after = change(text);
  writeFileSync(join(copy, "SKILL.md"), after);
  more();
  return validateSkill(copy);
}
const same = (text: string) => text;

describe("the skill", () => {
  it("behavior: keeps every rule of the Agent Skills format and of OpenClaw", () => expect(validateSkill(skill)).toEqual([]));

  it("behavior: names every verb that its script has, and asks for no key", () => {
    const text = readFileSync(join(skill, "SKILL.md"), "utf8");
    for (const verb of ["providers", "ask", "balance", "status", "provider-check", "provider-setup", "stop"])
      expect(text).toContain(`\`${verb}`);
    expect(text).not.toMatch(/PRIVATE_KEY|requires:\s*\n\s*env/);
  });

  it.each<[string, (text: string) => string, (() => void) | undefined]>([
    ["there is no front matter between two lines of ---", (text) => text.replace("---\n", ""), undefined],
    ["name must be the folder's name", (text) => text.replace("name: clawcompute", "name: another"), undefined],
    [
      "name must be lower case letters, digits and single hyphens inside",
      (text) => text.replace("name: clawcompute", "name: claw--Compute"),
      undefined,
    ],
    ["description is missing", (text) => text.replace(/^description: .*\n/m, ""), undefined],
    [
      "description must be shorter than 160 characters",
      (text) => text.replace(/^description: .*/m, `description: ${"x".repeat(160)}`),
      undefined,
    ],
    ["description must have no angle brackets", (text) => text.replace(/^description: /m, "description: <b> "), undefined],
    ["a description with a colon must be quoted", (text) => text.replace(/^description: /m, "description: now: "), undefined],
    [
      "the key compatibility is not known to every validator",
      (text) => text.replace("license: MIT", "license: MIT\ncompatibility: all"),
      undefined,
    ],
    ["metadata.version must be a version", (text) => text.replace('version: "1.0.0"', "version: new"), undefined],
    ["metadata.openclaw is missing", (text) => text.replace("openclaw:", "other:"), undefined],
    [
      "metadata.openclaw.capabilities is not read by OpenClaw",
      (text) => text.replace("    requires:", "    capabilities: [shell]\n    requires:"),
      undefined,
    ],
    ["always: true raises risk and is not needed", (text) => text.replace("    requires:", "    always: true\n    requires:"), undefined],
    ["os must be a list of linux, darwin, win32", (text) => text.replace("os: [linux, darwin]", "os: [beos]"), undefined],
    ["requires.tools is not read by OpenClaw", (text) => text.replace("bins: [node]", "bins: [node]\n      tools: [x]"), undefined],
    ["node is used and not required", (text) => text.replace("bins: [node]", "bins: [python3]"), undefined],
    ["the variable MARKET_KEY is used and not declared", (text) => `${text}\nRun it with $MARKET_KEY.\n`, undefined],
    ["PRIVATE_KEY must not be asked for", (text) => text.replace("bins: [node]", "bins: [node]\n      env: [PRIVATE_KEY]"), undefined],
    ["the body must be shorter than 500 lines", (text) => text + "\n".repeat(500), undefined],
    ["the body must be shorter than 5000 tokens", (text) => text + "word ".repeat(5_000), undefined],
    ["the link references/none.md leads nowhere", (text) => `${text}\n[none](references/none.md)\n`, undefined],
    ["there is no scripts/none.mjs", (text) => `${text}\n{baseDir}/scripts/none.mjs\n`, undefined],
    ["link.md is a link, which OpenClaw drops", same, () => symlinkSync("/etc/hosts", join(copy, "link.md"))],
    ["binary.md is not text", same, () => writeFileSync(join(copy, "references", "binary.md"), Buffer.from([0, 1, 2]))],
    ["the folder lib is not one of scripts, references, assets", same, () => mkdirSync(join(copy, "lib"))],
    [
      "deep.md lies more than one folder deep",
      same,
      () => {
        mkdirSync(join(copy, "references", "deep"));
        writeFileSync(join(copy, "references", "deep", "deep.md"), "deep");
      },
    ],
    ['the front matter cannot be read: "- item" is no mapping', (text) => text.replace("license: MIT", "license: MIT\n- item"), undefined],
  ])("error: %s", (words, change, more) => expect(changed(change, more)).toContain(words));
});
