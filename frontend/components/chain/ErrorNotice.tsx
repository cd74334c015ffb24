import { AppError } from "@clawcompute/lib/errors";
import { Notice } from "../ui/Notice.tsx";

/** What went wrong, and what to do, in the words of the error itself. */
export function ErrorNotice({ error, title }: { error: unknown; title?: string }) {
  const { code, message, hint } = AppError.from(error);
  return (
    <Notice tone="bad" title={title ?? message}>
      {title && <p>{message}</p>}
      {hint && <p>{hint}</p>}
      <p className="mt-1 font-mono text-soft text-xs">{code}</p>
    </Notice>
  );
}
