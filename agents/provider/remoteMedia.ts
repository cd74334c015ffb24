import { AppError } from "@clawcompute/lib/errors";

/**
 * A picture or file by its URL would be fetched by the engine, from inside the operator's network, wherever the caller points it.
 * Only what comes with the request is let through. Throws UNSUPPORTED naming the field.
 */
export function assertNoRemoteMedia(content: unknown, at: string): void {
  if (typeof content !== "object" || content === null) return;
  for (const [key, value] of Object.entries(content)) {
    const field = `${at}.${key}`;
    const url = /_?url$/i.test(key) ? (typeof value === "string" ? value : (value as { url?: unknown } | null)?.url) : undefined;
    if (typeof url === "string" && !/^data:/i.test(url.trimStart())) {
      throw new AppError("UNSUPPORTED", "Pictures, sound and files are not fetched from URLs here.", {
        param: field.slice(0, 200),
        hint: "Send the content itself, as a data: URL.",
      });
    }
    if (typeof value === "object") assertNoRemoteMedia(value, field);
  }
}
