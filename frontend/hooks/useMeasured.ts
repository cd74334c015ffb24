"use client";
import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Health } from "@/queries/health.ts";

export interface Measured {
  readonly count: number;
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

const KEPT = 60;

/** What this page measured of one endpoint since it was opened, in whole milliseconds. */
export function useMeasured(queryKey: QueryKey): Measured | undefined {
  const client = useQueryClient();
  const key = JSON.stringify(queryKey);
  const [seen, setSeen] = useState<readonly number[]>([]);
  useEffect(() => {
    setSeen([]);
    return client.getQueryCache().subscribe(({ type, query, ...event }) => {
      const isAnswer = type === "updated" && "action" in event && event.action.type === "success";
      if (!isAnswer || JSON.stringify(query.queryKey) !== key) return;
      const health = query.state.data as Health;
      if ("latencyMs" in health) setSeen((before) => [...before, Math.max(1, Math.round(health.latencyMs))].slice(-KEPT));
    });
  }, [client, key]);
  const sorted = seen.toSorted((a, b) => a - b);
  const [least, median, most] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  if (least === undefined || median === undefined || most === undefined) return undefined;
  return { count: sorted.length, least, median, most };
}
