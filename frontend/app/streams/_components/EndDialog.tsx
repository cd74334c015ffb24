"use client";
import { Button } from "@/components/ui/Button.tsx";
import { Dialog } from "@/components/ui/Dialog.tsx";
import type { OwnStream } from "@/queries/streams.ts";

/** Settling and cancelling differ in what is paid, so the reader chooses. */
export function EndDialog({ stream, onClose, onEnd }: { stream: OwnStream; onClose: () => void; onEnd: (byClock: boolean) => void }) {
  const canSettle = stream.providerId !== 0 && stream.status === "active";
  return (
    <Dialog title={`End stream ${stream.id}`} onClose={onClose} width="s">
      <div className="space-y-3">
        {canSettle && (
          <Choice
            title="Settle for the time served"
            text="The provider signs what it worked; you pay that and the rest comes back. Where this browser holds no session, your wallet signs one first."
            onClick={() => onEnd(false)}
          />
        )}
        <Choice
          title="Cancel by the clock"
          text="Asks nobody. The provider gets everything that accrued until now, worked or not."
          onClick={() => onEnd(true)}
        />
      </div>
    </Dialog>
  );
}

function Choice({ title, text, onClick }: { title: string; text: string; onClick: () => void }) {
  return (
    <div className="rounded-2xl border border-line p-4">
      <p className="font-medium">{title}</p>
      <p className="mt-1 text-pretty text-soft text-sm">{text}</p>
      <Button size="s" look="quiet" className="mt-3" onClick={onClick}>
        {title.split(" ")[0]}
      </Button>
    </div>
  );
}
