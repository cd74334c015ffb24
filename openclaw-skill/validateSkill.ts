import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";

type Yaml = string | boolean | readonly Yaml[] | { readonly [key: string]: Yaml };

/** What the Agent Skills format and OpenClaw 2026.9 both ask of a skill; returns what is wrong. */
export function validateSkill(folder: string): string[] {
  const wrong: string[] = [];
  const rule = (holds: boolean, words: string) => {
    if (!holds) wrong.push(words);
  };
  const path = join(folder, "SKILL.md");
  if (!existsSync(path)) return ["there is no SKILL.md"];
  const text = readFileSync(path, "utf8");
  const [, head, body] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text) ?? [];
  if (head === undefined || body === undefined) return ["there is no front matter between two lines of ---"];
  let meta: { readonly [key: string]: Yaml };
  try {
    meta = parseBlock(head);
  } catch (error) {
    return [`the front matter cannot be read: ${(error as Error).message}`];
  }
  const { name, description, license, metadata } = meta;

  rule(!text.startsWith("\ufeff"), "it begins with a byte order mark");
  rule(typeof name === "string" && name.length >= 1 && name.length <= 64, "name must have 1 to 64 characters");
  rule(
    typeof name === "string" && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name),
    "name must be lower case letters, digits and single hyphens inside",
  );
  rule(name === basename(folder), "name must be the folder's name");
  rule(typeof description === "string" && description.trim().length > 0, "description is missing");
  rule(typeof description === "string" && description.length < 160, "description must be shorter than 160 characters");
  rule(typeof description === "string" && !/[<>]/.test(description), "description must have no angle brackets");
  rule(typeof description === "string" && !description.includes("\n"), "description must be one line");
  rule(!/^description: [^"'].*: /m.test(head), "a description with a colon must be quoted");
  rule(license === undefined || typeof license === "string", "license must be text");
  // Keys that one of the two validators refuses are left out: compatibility, and version at the top.
  const allowed = ["name", "description", "license", "allowed-tools", "metadata"];
  for (const key of Object.keys(meta)) rule(allowed.includes(key), `the key ${key} is not known to every validator`);

  const record = (value: Yaml | undefined) =>
    typeof value === "object" && !Array.isArray(value) ? (value as { [key: string]: Yaml }) : undefined;
  rule(metadata === undefined || record(metadata) !== undefined, "metadata must be a mapping");
  rule(/^\d+\.\d+\.\d+$/.test(String(record(metadata)?.version ?? "")), "metadata.version must be a version");
  const openclaw = record(record(metadata)?.openclaw);
  rule(openclaw !== undefined, "metadata.openclaw is missing");
  const known = ["emoji", "homepage", "os", "requires", "primaryEnv", "install", "always", "skillKey"];
  for (const key of Object.keys(openclaw ?? {})) rule(known.includes(key), `metadata.openclaw.${key} is not read by OpenClaw`);
  rule(openclaw?.always === undefined, "always: true raises risk and is not needed");
  const systems = openclaw?.os;
  rule(
    systems === undefined || (Array.isArray(systems) && systems.every((os) => ["linux", "darwin", "win32"].includes(String(os)))),
    "os must be a list of linux, darwin, win32",
  );
  const requires = record(openclaw?.requires) ?? {};
  for (const [key, list] of Object.entries(requires)) {
    rule(["bins", "anyBins", "env", "config"].includes(key), `requires.${key} is not read by OpenClaw`);
    rule(Array.isArray(list) && list.every((item) => typeof item === "string" && item !== ""), `requires.${key} must be a list of names`);
  }
  const bins = [...((requires.bins as string[] | undefined) ?? []), ...((requires.anyBins as string[] | undefined) ?? [])];
  rule(!/\bnode \{baseDir\}/.test(body) || bins.includes("node"), "node is used and not required");
  const declared = new Set((requires.env as string[] | undefined) ?? []);
  for (const [, variable] of textsOf(folder).matchAll(/(?:process\.env\.|\$\{?)([A-Z][A-Z0-9_]{2,})\b/g)) {
    rule(
      declared.has(variable as string) || ["PATH", "HOME"].includes(variable as string),
      `the variable ${variable} is used and not declared`,
    );
  }
  for (const secret of ["PRIVATE_KEY", "MNEMONIC", "SEED_PHRASE"]) rule(!declared.has(secret), `${secret} must not be asked for`);

  rule(body.split("\n").length < 500, "the body must be shorter than 500 lines");
  rule(body.length / 4 < 5_000, "the body must be shorter than 5000 tokens");
  for (const [, link] of body.matchAll(/\]\((?!https?:)([^)#\s]+)/g))
    rule(existsSync(join(folder, link as string)), `the link ${link} leads nowhere`);
  for (const [, script] of body.matchAll(/\{baseDir\}\/([\w./-]+)/g))
    rule(existsSync(join(folder, script as string)), `there is no ${script}`);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const at = join(entry.parentPath, entry.name);
    rule(!entry.isSymbolicLink(), `${entry.name} is a link, which OpenClaw drops`);
    if (!entry.isFile()) continue;
    rule(
      entry.parentPath === folder || entry.parentPath === join(folder, basename(entry.parentPath)),
      `${entry.name} lies more than one folder deep`,
    );
    rule(!readFileSync(at).includes(0), `${entry.name} is not text`);
    rule(statSync(at).size < 1_000_000, `${entry.name} is too large`);
  }
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory())
      rule(["scripts", "references", "assets"].includes(entry.name), `the folder ${entry.name} is not one of scripts, references, assets`);
  }
  return wrong;
}

const textsOf = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("\n");

/** The part of YAML that skills use: nested mappings, quoted and plain text, lists in brackets. Throws on anything else. */
function parseBlock(text: string): { [key: string]: Yaml } {
  const root: { [key: string]: Yaml } = {};
  const open: { indent: number; map: { [key: string]: Yaml } }[] = [{ indent: -1, map: root }];
  for (const line of text.split("\n")) {
    if (line.trim() === "" || line.trim().startsWith("#")) continue;
    const [, spaces = "", key, value = ""] = /^( *)([\w-]+):(?: +(.*))?$/.exec(line) ?? [];
    if (key === undefined) throw new Error(`"${line.trim()}" is no mapping`);
    while ((open.at(-1)?.indent ?? -1) >= spaces.length) open.pop();
    const parent = open.at(-1)?.map ?? root;
    if (key in parent) throw new Error(`${key} is there twice`);
    if (value === "") {
      const map = {};
      parent[key] = map;
      open.push({ indent: spaces.length, map });
    } else parent[key] = scalar(value.trim());
  }
  return root;
}

function scalar(text: string): Yaml {
  const list = /^\[(.*)\]$/.exec(text)?.[1];
  if (list !== undefined) return list.split(",").flatMap((item) => (item.trim() === "" ? [] : [scalar(item.trim())]));
  if (/^[{&*!|>%@`-]/.test(text)) throw new Error(`"${text}" is not used in skills`);
  const quoted = /^"(.*)"$|^'(.*)'$/.exec(text);
  if (quoted) return quoted[1] ?? quoted[2] ?? "";
  return text === "true" ? true : text === "false" ? false : text;
}
