/** Asks at the terminal without showing what is typed; undefined where there is no terminal. */
export async function askPassword(question: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  try {
    return await new Promise<string | undefined>((resolve) => {
      let typed = "";
      const onData = (text: string) => {
        for (const character of text) {
          if (character === "\r" || character === "\n" || character === "\u0004") return finish(typed);
          if (character === "\u0003") return finish(undefined);
          if (character === "\u007f" || character === "\b") typed = typed.slice(0, -1);
          else typed += character;
        }
      };
      const finish = (password: string | undefined) => {
        stdin.off("data", onData);
        resolve(password);
      };
      stdin.on("data", onData);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}
