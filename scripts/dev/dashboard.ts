import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, globSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { childEnv } from "./childEnv.ts";
import { type Child, type ChildOptions, startChild } from "./children.ts";
import { withLock } from "./lock.ts";
import { failure } from "./ready.ts";

const sources = ["frontend/**/*.{ts,tsx,css,svg,mjs,json}", "lib/**/*.{ts,json}", "package-lock.json"];
const ignored = /(^|\/)(node_modules|\.next[^/]*|testing|store)\/|\.test\.tsx?$|next-env\.d\.ts$/;

/** Changes when anything changes that the page is made of. */
function fingerprint(root: string): string {
  const hash = createHash("sha256").update(process.version);
  const files = sources.flatMap((pattern) =>
    globSync(pattern, { cwd: root, exclude: (path) => /(^|\/)(node_modules|\.next[^/]*)$/.test(path) }),
  );
  for (const path of files.filter((path) => !ignored.test(path)).sort()) hash.update(`\0${path}\0`).update(readFileSync(join(root, path)));
  return hash.digest("hex");
}

const nextBin = (root: string) => createRequire(join(root, "frontend", "package.json")).resolve("next/dist/bin/next");

/** Makes the production build unless there is one of these sources. Resolves with whether it had to. */
export async function buildDashboard(
  { cwd: root, logsFolder }: Pick<ChildOptions, "cwd" | "logsFolder">,
  signal: AbortSignal,
): Promise<boolean> {
  const stamp = join(root, "frontend", ".next", "fingerprint");
  const wanted = fingerprint(root);
  const isBuilt = () =>
    existsSync(stamp) && readFileSync(stamp, "utf8") === wanted && existsSync(join(root, "frontend", ".next", "BUILD_ID"));
  if (isBuilt()) return false;
  return withLock(join(root, ".tools", "dashboard.lock"), signal, async () => {
    if (isBuilt()) return false;
    mkdirSync(logsFolder, { recursive: true });
    const logPath = join(logsFolder, "dashboard-build.log");
    const log = openSync(logPath, "w");
    const child = spawn(process.execPath, [nextBin(root), "build", join(root, "frontend")], {
      cwd: root,
      env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
      stdio: ["ignore", log, log],
      signal,
    });
    closeSync(log);
    const code = await new Promise<number | null>((resolve) => {
      child.once("exit", resolve);
      child.once("error", () => resolve(1));
    });
    signal.throwIfAborted();
    if (code !== 0) throw failure({ name: "the dashboard's build", logPath }, `failed (exit code ${code})`);
    writeFileSync(stamp, wanted);
    return true;
  });
}

export interface DashboardPartOptions extends Pick<ChildOptions, "cwd" | "logsFolder"> {
  readonly port: number;
  readonly rpcUrl: string;
  readonly indexerUrl: string;
}

export function startDashboard({ port, rpcUrl, indexerUrl, cwd, logsFolder }: DashboardPartOptions): Promise<Child> {
  return startChild({
    name: "dashboard",
    command: process.execPath,
    args: [nextBin(cwd), "start", join(cwd, "frontend"), "-H", "127.0.0.1", "-p", String(port)],
    env: {
      ...childEnv({ NETWORK: "local", RPC_URL: rpcUrl, INDEXER_URL: indexerUrl }),
      NEXT_TELEMETRY_DISABLED: "1",
      NODE_ENV: "production",
    },
    cwd,
    logsFolder,
  });
}
