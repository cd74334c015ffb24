import type { ChildProcess } from "node:child_process";

/** MiB of a running Node process's heap that a full collection leaves. The process was started with --inspect-port=0. */
export async function liveHeap(child: ChildProcess): Promise<number> {
  const url = await inspectorOf(child);
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("the inspector does not answer"));
  });
  let asked = 0;
  const ask = (method: string, params: object = {}) =>
    new Promise<{ result?: { value?: number } }>((resolve) => {
      const id = ++asked;
      const onMessage = ({ data }: MessageEvent) => {
        const message = JSON.parse(String(data));
        if (message.id !== id) return;
        socket.removeEventListener("message", onMessage);
        resolve(message.result);
      };
      socket.addEventListener("message", onMessage);
      socket.send(JSON.stringify({ id, method, params }));
    });
  await ask("HeapProfiler.collectGarbage");
  const { result } = await ask("Runtime.evaluate", { expression: "process.memoryUsage().heapUsed" });
  socket.close();
  return (result?.value ?? Number.NaN) / 1_048_576;
}

const urls = new WeakMap<ChildProcess, Promise<string>>();

/** Node opens its inspector at SIGUSR1 and says where. */
function inspectorOf(child: ChildProcess): Promise<string> {
  const known = urls.get(child);
  if (known) return known;
  const url = new Promise<string>((resolve) => {
    let said = "";
    const onData = (part: Buffer) => {
      said += part.toString();
      const found = /Debugger listening on (ws:\S+)/.exec(said)?.[1];
      if (found === undefined) return;
      child.stderr?.off("data", onData).resume();
      resolve(found);
    };
    child.stderr?.on("data", onData);
    child.kill("SIGUSR1");
  });
  urls.set(child, url);
  return url;
}
