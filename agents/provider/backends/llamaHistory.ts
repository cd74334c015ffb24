import { AppError } from "@clawcompute/lib/errors";
import { type ChatRequest, textOf } from "@clawcompute/lib/protocol";
import type { ChatHistoryItem } from "node-llama-cpp";

type Message = ChatRequest["messages"][number];

/** A conversation as the engine has it. Tools and their results are told as text; images and sound are refused. */
export function llamaHistory(messages: readonly Message[]): ChatHistoryItem[] {
  return messages.map((message, index) => {
    const param = `messages.${index}`;
    if (Array.isArray(message.content)) {
      const strange = message.content.find((part) => typeof part.text !== "string");
      if (strange) throw new AppError("UNSUPPORTED", `${param}.content: this model reads text only.`, { param: `${param}.content` });
    }
    const text = textOf(message.content);
    switch (message.role) {
      case "system":
      case "developer":
        return { type: "system", text };
      case "user":
        return { type: "user", text };
      case "assistant":
        return { type: "model", response: [text || calledTools(message)] };
      case "tool":
      case "function":
        return { type: "user", text: `Result of the tool:\n${text}` };
      default:
        throw new AppError("UPSTREAM_REFUSED", `${param}.role: must be system, developer, user, assistant or tool.`, {
          param: `${param}.role`,
        });
    }
  });
}

function calledTools(message: Message): string {
  return Array.isArray(message.tool_calls) ? `Calls tools: ${JSON.stringify(message.tool_calls)}` : "";
}
