import { existsSync, readFileSync, type Stats, unwatchFile, watchFile } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { invalidConfig } from "@clawcompute/lib/config/env";

/** How often the files' times are looked at. Works where files are replaced, linked or mounted, as editors and orchestrators do. */
const LOOK_MS = 1_000;
/** What is written in several steps is read when nothing has changed for this long. */
const QUIET_MS = 500;

/** Calls `onChange` after these files were changed, made or replaced; never twice at once. Until the returned function is called. */
export function watchSettings(paths: readonly string[], onChange: () => Promise<void>): () => void {
  let quiet: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const changed = (now: Stats, before: Stats) => {
    if (now.mtimeMs === before.mtimeMs && now.size === before.size && now.ino === before.ino) return;
    clearTimeout(quiet);
    quiet = setTimeout(() => {
      running = running.then(onChange, onChange);
    }, QUIET_MS);
  };
  for (const path of paths) watchFile(path, { interval: LOOK_MS, persistent: false }, changed);
  return () => {
    clearTimeout(quiet);
    for (const path of paths) unwatchFile(path, changed);
  };
}

type Env = Readonly<Record<string, string | undefined>>;

/** Settings as they were given at the start, with what has changed in their files since. */
export interface Reload {
  /** Where settings are read from; not all of them need to exist. */
  readonly files: readonly string[];
  readEnv(): Env;
}

/**
 * `file` is the operator's own choice and wins; else the files that the process was started with, which give way to the
 * environment, then as now.
 */
export function createReload(env: Env, file: string | undefined, execArgv: readonly string[]): Reload {
  if (file !== undefined) return { files: [file], readEnv: () => ({ ...env, ...readNamed(file) }) };
  const files = [...envFilesOf(execArgv), join(import.meta.dirname, "../../.env")];
  const read = (): Env => {
    // The first one that names a variable has it.
    return Object.assign(
      {},
      ...files
        .filter((path) => existsSync(path))
        .map((path) => parseEnv(readFileSync(path, "utf8")))
        .reverse(),
    );
  };
  const before = read();
  return { files, readEnv: () => mergeEnv(env, before, read()) };
}

function readNamed(file: string): Env {
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (cause) {
    throw invalidConfig("PROVIDER_ENV_FILE", `cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown"})`);
  }
}

/** What a file said at the start and says differently now. A variable with another value at the start was not the file's. */
export function mergeEnv(env: Env, before: Env, now: Env): Env {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return { ...env, ...Object.fromEntries(names.filter((name) => env[name] === before[name]).map((name) => [name, now[name]])) };
}

/** Files that Node itself was told to read the environment from; the last one first, as Node lets it win. */
export function envFilesOf(execArgv: readonly string[]): readonly string[] {
  return execArgv
    .flatMap((word, index) => {
      const [flag, path] = /^--env-file(?:-if-exists)?(?:=(.*))?$/s.exec(word) ?? [];
      const given = path ?? (flag ? execArgv[index + 1] : undefined);
      return given === undefined ? [] : [given];
    })
    .reverse();
}
