"use client";
import { useState } from "react";
import { Button } from "@/components/ui/Button.tsx";
import { Dialog } from "@/components/ui/Dialog.tsx";
import { ChatIcon, DeleteIcon, DownloadIcon } from "@/components/ui/icons.tsx";
import { toast } from "@/components/ui/Toast.tsx";
import { type Conversation, titleOf } from "@/paying/conversation.ts";
import { conversationAsJson, conversationAsMarkdown } from "@/paying/exportConversation.ts";
import { useNetwork } from "@/web3/network.tsx";
import { ConversationList, type ConversationListProps } from "./ConversationList.tsx";
import { saveFile } from "./saveFile.ts";

interface ConversationBarProps extends ConversationListProps {
  conversation: Conversation;
  isRemovable: boolean;
  onRemove: (id: string) => void;
}

const stillOpen = {
  stream: " Its stream stays open: you find it under My streams.",
  channel: " Its channel is still open: end it first, because only this page has its key.",
};

/** Which conversation this is, and what can be done with it. */
export function ConversationBar({ conversation, isRemovable, onRemove, ...list }: ConversationBarProps) {
  const { nativeSymbol } = useNetwork();
  const [open, setOpen] = useState<"list" | "export" | "remove">();
  const close = () => setOpen(undefined);
  const isKept = conversation.turns.length > 0;
  if (list.conversations.length === 0) return null;
  const name = `conversation-${new Date(conversation.createdAt).toISOString().slice(0, 16).replace(/\D/g, "")}`;
  const save = (file: string, text: string, type: string) => {
    saveFile(file, text, type);
    toast(`Saved ${file}`);
    close();
  };
  return (
    <div className="mb-4 flex items-center gap-1 border-line border-b pb-2">
      <Button look="bare" size="icon" className="-ml-2 xl:hidden" aria-label="Conversations" onClick={() => setOpen("list")}>
        <ChatIcon className="size-5" />
      </Button>
      <p className="min-w-0 flex-1 truncate font-medium">{titleOf(conversation)}</p>
      {isKept && (
        <>
          <Button look="bare" size="icon" aria-label="Export" onClick={() => setOpen("export")}>
            <DownloadIcon className="size-4.5" />
          </Button>
          <Button look="bare" size="icon" aria-label="Delete" onClick={() => setOpen("remove")} disabled={!isRemovable}>
            <DeleteIcon className="size-4.5" />
          </Button>
        </>
      )}
      {open === "list" && (
        <Dialog title="Conversations" onClose={close} width="s">
          <ConversationList
            {...list}
            onChoose={(id) => {
              list.onChoose(id);
              close();
            }}
          />
        </Dialog>
      )}
      {open === "export" && (
        <Dialog title="Export" onClose={close} width="s">
          <p className="text-soft text-sm">Made here, sent nowhere. The JSON holds the signed receipts, so that others can check them.</p>
          <div className="mt-4 grid gap-2 sm:grid-cols-2">
            <Button look="quiet" onClick={() => save(`${name}.json`, conversationAsJson(conversation), "application/json")}>
              JSON
            </Button>
            <Button look="quiet" onClick={() => save(`${name}.md`, conversationAsMarkdown(conversation, nativeSymbol), "text/markdown")}>
              Markdown
            </Button>
          </div>
        </Dialog>
      )}
      {open === "remove" && (
        <Dialog
          title="Delete this conversation?"
          onClose={close}
          width="s"
          actions={
            <>
              <Button look="quiet" onClick={close}>
                Keep it
              </Button>
              <Button
                disabled={conversation.payment?.kind === "channel"}
                onClick={() => {
                  onRemove(conversation.id);
                  close();
                }}
              >
                Delete
              </Button>
            </>
          }
        >
          <p className="text-pretty text-soft text-sm">
            Its words and receipts are gone then.
            {conversation.payment && stillOpen[conversation.payment.kind]}
          </p>
        </Dialog>
      )}
    </div>
  );
}
