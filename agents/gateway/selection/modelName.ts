export type ChoiceMode = "balanced" | "cheap" | "fast";

/** What a client's model name asks for. */
export interface ModelChoice {
  /** As the client wrote it. */
  readonly asked: string;
  /** Undefined: any model will do. */
  readonly model: string | undefined;
  readonly providerId: number | undefined;
  readonly mode: ChoiceMode;
}

const LARGEST_ID = 4_294_967_295;

/** `name`, `name@providerId`, `auto`, `auto:cheap`, `auto:fast`; Ollama's clients add `:latest` to names without a tag. */
export function parseModelName(asked: string): ModelChoice {
  const name = asked.trim().replace(/:latest$/, "");
  const auto = /^auto(?::(cheap|fast))?$/.exec(name);
  if (auto) return { asked, model: undefined, providerId: undefined, mode: (auto[1] as ChoiceMode | undefined) ?? "balanced" };
  const pinned = /^(.+)@(\d{1,10})$/.exec(name);
  const id = Number(pinned?.[2] ?? 0);
  if (pinned && id >= 1 && id <= LARGEST_ID) {
    const model = pinned[1] === "auto" ? undefined : pinned[1];
    return { asked, model, providerId: id, mode: "balanced" };
  }
  return { asked, model: name, providerId: undefined, mode: "balanced" };
}
