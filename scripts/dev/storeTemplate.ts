import { createHash } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "@clawcompute/lib/store";
import { withLock } from "./lock.ts";

/** An empty store to copy: beginning one costs a part seconds of processor time, a copy next to nothing. Returns its folder. */
export async function storeTemplate(root: string, signal: AbortSignal): Promise<string> {
  const tools = join(root, ".tools");
  const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  for (const path of globSync("lib/store/migrations/**/*.{sql,json}", { cwd: root }).sort()) hash.update(readFileSync(join(root, path)));
  const name = `store-${hash.digest("hex").slice(0, 16)}`;
  const template = join(tools, name);
  if (existsSync(template)) return template;
  return withLock(join(tools, "store.lock"), signal, async () => {
    if (existsSync(template)) return template;
    for (const old of globSync("store-*", { cwd: tools })) rmSync(join(tools, old), { recursive: true, force: true });
    const beginning = join(tools, `begin-${name}`);
    rmSync(beginning, { recursive: true, force: true });
    await (await openStore({ folder: beginning })).close();
    renameSync(beginning, template);
    return template;
  });
}

/** Puts a copy at `folder` unless a store is there already. */
export function beginStore(template: string, folder: string): void {
  if (existsSync(folder)) return;
  mkdirSync(join(folder, ".."), { recursive: true });
  const copy = `${folder}.new`;
  rmSync(copy, { recursive: true, force: true });
  cpSync(template, copy, { recursive: true });
  renameSync(copy, folder);
}
