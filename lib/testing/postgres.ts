import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";

export interface PostgresOptions {
  /** Largest file that the server may write, in KiB: a disk that fills up. The write-ahead log's files are 1 MiB. */
  readonly maxFileKib?: number;
  /** Default false: for tests, which lose nothing by a crash of the machine. */
  readonly durable?: boolean;
}

/** A PostgreSQL server of our own, gone with its data when it is stopped for good. */
export interface LocalPostgres {
  readonly version: string;
  readonly pid: () => number;
  /** A new and empty database. */
  createDatabase(): Promise<string>;
  /** "fast" ends all sessions and shuts down, "crash" leaves everything as it is. */
  halt(how?: "fast" | "crash"): Promise<void>;
  /** After `halt`, at the same address. */
  resume(options?: Pick<PostgresOptions, "maxFileKib">): Promise<void>;
  /** KiB of memory of the server and its sessions, by Pss, so that shared pages count once. */
  memoryKib(): number;
  stop(): Promise<void>;
}

/** The folder with PostgreSQL's programs as Debian installs them, or undefined. */
export function findPostgres(): string | undefined {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return undefined;
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(root, version, "bin"))
    .find((bin) => existsSync(join(bin, "postgres")) && existsSync(join(bin, "initdb")));
}

/** Throws when PostgreSQL is not installed; ask `findPostgres` first. */
export async function startPostgres(options: PostgresOptions = {}): Promise<LocalPostgres> {
  const bin = findPostgres();
  if (!bin) throw new Error("PostgreSQL is not installed");
  const owner = ownerOfServer();
  const folder = await mkdtemp(join(tmpdir(), "postgres-"));
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, "data");
  const init = ["-D", data, "-U", "clawcompute", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"];
  await finished(spawn(join(bin, "initdb"), init, { ...owner, cwd: folder, stdio: ["ignore", "ignore", "pipe"] }));
  const port = await freePort();
  let server: ChildProcess | undefined;
  let databases = 0;
  let version = "";

  async function start(maxFileKib: number | undefined): Promise<void> {
    const settings = {
      listen_addresses: "127.0.0.1",
      port,
      unix_socket_directories: "",
      max_connections: 60,
      shared_buffers: "256MB",
      max_wal_size: "1GB",
    };
    const lasting = options.durable ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };
    const args = ["-D", data, ...Object.entries({ ...settings, ...lasting }).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
    // The shell's limit is in units of 512 bytes.
    const script = `${maxFileKib === undefined ? "" : `ulimit -f ${maxFileKib * 2}; `}exec "$0" "$@"`;
    const child = spawn("/bin/sh", ["-c", script, join(bin as string, "postgres"), ...args], {
      ...owner,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    server = child;
    const kill = () => child.kill("SIGQUIT");
    process.once("exit", kill);
    child.once("exit", () => process.off("exit", kill));
    await lineOf(child, /database system is ready to accept connections/);
    child.stderr?.resume();
  }

  async function halt(how: "fast" | "crash" = "fast"): Promise<void> {
    const child = server;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(how === "fast" ? "SIGINT" : "SIGQUIT");
    await gone;
  }

  const url = (database: string) => `postgres://clawcompute@127.0.0.1:${port}/${database}`;
  await start(options.maxFileKib);
  const client = new Client({ connectionString: url("postgres") });
  await client.connect();
  version = String((await client.query("show server_version")).rows[0]?.server_version);
  await client.end();

  return {
    version,
    pid: () => server?.pid as number,
    createDatabase: async () => {
      const name = `test_${databases++}`;
      const admin = new Client({ connectionString: url("postgres") });
      await admin.connect();
      await admin.query(`create database ${name}`);
      await admin.end();
      return url(name);
    },
    halt,
    resume: async ({ maxFileKib } = {}) => start(maxFileKib),
    memoryKib: () => familyOf(server?.pid as number).reduce((sum, pid) => sum + pssOf(pid), 0),
    stop: async () => {
      await halt();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The server refuses to run as root; another account does it then. */
function ownerOfServer(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n");
  const line = accounts.find((account) => account.startsWith("postgres:")) ?? accounts.find((account) => account.startsWith("nobody:"));
  const [, , uid, gid] = (line ?? "::65534:65534").split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

function familyOf(pid: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/status`, "utf8").includes(`\nPPid:\t${pid}\n`);
      } catch {
        return false;
      }
    });
  return [pid, ...children.map(Number)];
}

function pssOf(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function finished(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (chunk) => {
      said = (said + chunk).slice(-2_000);
    });
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`PostgreSQL's set-up ended with ${code}: ${said}`))));
  });
}

function lineOf(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const onData = (chunk: Buffer) => {
      said = (said + chunk).slice(-4_000);
      if (!pattern.test(said)) return;
      child.stderr?.off("data", onData);
      resolve();
    };
    child.stderr?.on("data", onData);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`PostgreSQL did not start (${code}): ${said}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
