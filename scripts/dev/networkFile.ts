import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What runs, for the commands that look for it and for the next start. */
export interface NetworkRecord {
  readonly status: "starting" | "ready";
  /** The process that started the others. */
  readonly launcherPid: number;
  readonly pids: Readonly<Record<string, number>>;
  readonly chainId?: number;
  readonly rpcUrl?: string;
  readonly urls?: NetworkUrls;
}

export interface NetworkUrls {
  readonly dashboard?: string;
  readonly rpc: string;
  readonly gateway: string;
  readonly indexer: string;
  readonly providers: readonly string[];
}

export interface NetworkFile {
  /** False when another process was quicker; then `read` tells which. */
  claim(): boolean;
  read(): NetworkRecord | undefined;
  write(record: NetworkRecord): void;
  remove(): void;
}

export function openNetworkFile(path: string): NetworkFile {
  const text = (record: NetworkRecord) => `${JSON.stringify(record, undefined, 2)}\n`;
  return {
    claim: () => {
      mkdirSync(dirname(path), { recursive: true });
      try {
        writeFileSync(path, text({ status: "starting", launcherPid: process.pid, pids: {} }), { flag: "wx" });
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
        throw error;
      }
    },
    read: () => {
      try {
        return JSON.parse(readFileSync(path, "utf8")) as NetworkRecord;
      } catch {
        return undefined;
      }
    },
    write: (record) => {
      writeFileSync(`${path}.new`, text(record));
      renameSync(`${path}.new`, path);
    },
    remove: () => rmSync(path, { force: true }),
  };
}

/** True when the process runs and is one of ours: pids are used again for other programs. */
export function isOurs(pid: number, root: string): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const command = commandLineOf(pid);
  // The parts are started by absolute paths; the launcher itself by a relative one, and the dashboard's server renames itself.
  const isRenamed = command.includes("scripts/dev/network.ts") || command.startsWith("next-server");
  return command.includes(root) || (isRenamed && [root, undefined].includes(workingFolderOf(pid)));
}

function commandLineOf(pid: number): string {
  try {
    if (existsSync("/proc/self/cmdline")) return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return execFileSync("ps", ["-p", String(pid), "-o", "command="], { encoding: "utf8" });
  } catch {
    return "";
  }
}

/** Undefined where the system does not tell. */
function workingFolderOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}
