// Every repository path, link and npm script that a document names exists.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "../..");
const scripts = Object.keys(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts);
const documents = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.md"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter(Boolean);
const folders = ["contracts", "lib", "agents", "frontend", "test", "scripts", "benchmarks", "docs", "deploy", "openclaw-skill"];

let wrong = 0;
const complain = (document: string, text: string) => {
  wrong += 1;
  console.error(`${document}: ${text}`);
};

for (const document of documents) {
  if (!existsSync(join(root, document))) continue;
  const text = readFileSync(join(root, document), "utf8");
  for (const [, name] of text.matchAll(/npm run (?:-s )?([\w:.-]+)/g)) {
    if (name && !scripts.includes(name)) complain(document, `there is no script "${name}"`);
  }
  for (const [, path] of text.matchAll(new RegExp(`\`((?:${folders.join("|")})/[\\w@./-]+)\``, "g"))) {
    if (path && !existsSync(join(root, path.replace(/[.,]$/, "")))) complain(document, `there is no ${path}`);
  }
  for (const [, link] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)) {
    if (link && !existsSync(join(root, dirname(document), link))) complain(document, `the link ${link} leads nowhere`);
  }
}
console.log(wrong ? `${wrong} wrong references` : `${documents.length} documents name only what exists`);
process.exitCode = wrong ? 1 : 0;
