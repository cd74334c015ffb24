"use client";
import { Button } from "@/components/ui/Button.tsx";
import { NewChatIcon } from "@/components/ui/icons.tsx";
import { type Conversation, titleOf } from "@/paying/conversation.ts";
import type { Activity } from "@/paying/desk.ts";

export interface ConversationListProps {
  conversations: readonly Conversation[];
  activities: ReadonlyMap<string, Activity>;
  shown: string;
  /** The empty id begins a new one. */
  onChoose: (id: string) => void;
}

/** Kept on this machine only. A dot says that a deposit is open; a moving one, that it is being worked for. */
export function ConversationList({ conversations, activities, shown, onChoose }: ConversationListProps) {
  return (
    <>
      <Button look="quiet" size="s" className="w-full" onClick={() => onChoose("")}>
        <NewChatIcon /> New conversation
      </Button>
      <ul className="mt-3 space-y-0.5">
        {conversations.map((conversation) => {
          const { id, payment, createdAt } = conversation;
          const isBusy = (activities.get(id)?.phase ?? "idle") !== "idle";
          return (
            <li key={id}>
              <button
                type="button"
                onClick={() => onChoose(id)}
                aria-current={id === shown ? "true" : undefined}
                className={`block w-full rounded-lg px-3 py-2 text-left ${id === shown ? "bg-sunken" : "hover:bg-sunken/60"}`}
              >
                <span className="flex items-center gap-2">
                  <span className="min-w-0 flex-1 truncate text-sm">{titleOf(conversation)}</span>
                  {payment && (
                    <span
                      title={isBusy ? "Being worked for" : "Its stream is open"}
                      className={`size-1.5 shrink-0 rounded-full bg-money ${isBusy ? "animate-pulse" : ""}`}
                    />
                  )}
                </span>
                <time className="text-soft text-xs" dateTime={new Date(createdAt).toISOString()}>
                  {new Date(createdAt).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })}
                </time>
              </button>
            </li>
          );
        })}
      </ul>
      {conversations.length > 0 && <p className="mt-3 px-3 text-pretty text-soft text-xs">They stay in this browser.</p>}
    </>
  );
}
