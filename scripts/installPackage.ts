import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Waiting for a mirror that does not answer must not take the time of the tests. */
const WITHIN_MS = 180_000;

/** Installs one of Debian's packages where that is possible: as root, with apt. What it could not install stays missing, and is said. */
export function installPackage(name: string): void {
  if (!existsSync("/usr/bin/apt-get") || process.getuid?.() !== 0) return;
  console.log(`installing ${name} from Debian's packages, once`);
  const apt = (...args: readonly string[]) =>
    spawnSync("apt-get", args, { stdio: "inherit", timeout: WITHIN_MS, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  const installed = apt("update", "-qq").status === 0 && apt("install", "-y", "-qq", "--no-install-recommends", name).status === 0;
  if (!installed) console.log(`${name} could not be installed`);
}
