import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createReport } from "../../../scripts/dev/report.ts";
import { removeFolder, startNetwork } from "../../../scripts/dev/startNetwork.ts";

/**
 * Before the browser tests: the whole local network with the dashboard, on free ports and in a folder of its own. With NETWORK_FILE and
 * DASHBOARD_URL set, the one that they name is tested.
 */
export default async function startDashboardNetwork(): Promise<() => Promise<void>> {
  if (process.env.NETWORK_FILE && process.env.DASHBOARD_URL) return async () => {};
  const folder = mkdtempSync(join(tmpdir(), "clawcompute-browser-"));
  const root = join(import.meta.dirname, "..", "..", "..");
  const aborted = new AbortController();
  const abort = () => aborted.abort(new Error("stopped on request"));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, abort);
  const network = await startNetwork({
    root,
    folder,
    freePorts: true,
    keepState: false,
    fresh: false,
    dashboard: true,
    report: createReport((text) => process.stdout.write(text)),
    signal: aborted.signal,
  });
  const losses: string[] = [];
  network.onLoss(({ name, how, logTail }) => losses.push(`${name} has ended by itself (${how}):\n${logTail}`));
  process.env.NETWORK_FILE = join(folder, "network.json");
  process.env.DASHBOARD_URL = network.record.urls?.dashboard;
  return async () => {
    await network.stop();
    if (losses.length > 0) throw new Error(losses.join("\n"));
    removeFolder(folder);
  };
}
