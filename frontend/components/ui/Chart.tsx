"use client";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Segmented } from "./Segmented.tsx";
import { Table } from "./Table.tsx";

export interface Point {
  /** For the axis and the table, such as "21 Nov". */
  readonly label: string;
  readonly value: bigint;
}

interface ChartProps {
  title: string;
  /** One sentence that says what the picture shows, for those who do not see it. */
  summary: string;
  points: readonly Point[];
  /** A value with its unit. */
  format: (value: bigint) => string;
  /** Bars for sums of a time, steps for what stays until it changes. */
  kind?: "bars" | "steps";
  tone?: "money" | "brand";
  /** What the labels are, for the table's head. */
  over: string;
  side?: ReactNode;
}

const HEIGHT = 168;
const BELOW = 22;
const tones = { money: "fill-money stroke-money", brand: "fill-brand stroke-brand" } as const;

/** A small picture of figures; the same figures stand in a table one key press away. */
export function Chart({ title, summary, points, format, kind = "bars", tone = "money", over, side }: ChartProps) {
  const id = useId();
  const [shown, setShown] = useState<"chart" | "table">("chart");
  const [looked, setLooked] = useState<number>();
  const { ref, width } = useWidth();
  const most = points.reduce((max, { value }) => (value > max ? value : max), 0n);
  const seen = points[looked ?? points.length - 1];
  const step = points.length > 0 ? width / points.length : width;
  const top = (value: bigint) => (most === 0n ? HEIGHT : HEIGHT - (Number((value * 10_000n) / most) / 10_000) * (HEIGHT - 8));
  return (
    <figure className="min-w-0" aria-labelledby={`${id}-title`}>
      <figcaption className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h2 id={`${id}-title`} className="font-medium">
            {title}
          </h2>
          <p className="mt-0.5 min-h-5 text-soft text-sm tabular-nums">{seen ? `${seen.label}: ${format(seen.value)}` : "Nothing yet"}</p>
        </div>
        <div className="flex flex-wrap gap-2">
          {side}
          <Segmented
            label={`${title}, shown as`}
            options={[
              { value: "chart", name: "Chart" },
              { value: "table", name: "Table" },
            ]}
            value={shown}
            onPick={setShown}
          />
        </div>
      </figcaption>
      <div ref={ref} className="mt-4">
        {shown === "table" ? (
          <Table
            caption={title}
            className="max-h-[11.9rem] overflow-y-auto"
            columns={[
              { head: over, cell: ({ label }) => label },
              { head: title, cell: ({ value }) => format(value), isFigure: true },
            ]}
            rows={points.toReversed()}
            keyOf={({ label }) => label}
          />
        ) : (
          <svg
            role="img"
            aria-label={summary}
            width={width}
            height={HEIGHT + BELOW}
            className="block max-w-full overflow-visible"
            onPointerMove={({ nativeEvent }) => setLooked(clamp(Math.floor(nativeEvent.offsetX / step), points.length))}
            onPointerLeave={() => setLooked(undefined)}
          >
            {[0, 0.5, 1].map((part) => (
              <line
                key={part}
                x1="0"
                x2={width}
                y1={HEIGHT - part * (HEIGHT - 8) + 0.5}
                y2={HEIGHT - part * (HEIGHT - 8) + 0.5}
                className={part === 0 ? "stroke-line-strong" : "stroke-line"}
                strokeDasharray={part === 0 ? undefined : "2 4"}
              />
            ))}
            {kind === "bars"
              ? points.map(({ label, value }, index) => (
                  <rect
                    key={label}
                    x={index * step + step * 0.14}
                    y={value > 0n ? Math.min(top(value), HEIGHT - 2) : HEIGHT}
                    width={Math.min(step * 0.72, 40)}
                    height={value > 0n ? HEIGHT - Math.min(top(value), HEIGHT - 2) : 0}
                    rx={Math.min(3, step * 0.2)}
                    className={`${tones[tone]} stroke-0 ${looked === undefined || looked === index ? "" : "opacity-40"}`}
                  />
                ))
              : points.length > 0 && (
                  <>
                    <path d={stepsOf(points, step, top)} fill="none" className={`${tones[tone]} fill-none stroke-2`} />
                    <circle
                      cx={((looked ?? points.length - 1) + 0.5) * step}
                      cy={top(seen?.value ?? 0n)}
                      r="4"
                      className={`${tones[tone]} stroke-0`}
                    />
                  </>
                )}
            {ticksOf(points, width).map(({ label, index, anchor }) => (
              <text
                key={label}
                x={anchor === "start" ? 0 : anchor === "end" ? width : (index + 0.5) * step}
                y={HEIGHT + BELOW - 4}
                textAnchor={anchor}
                className="fill-soft text-xs tabular-nums"
              >
                {label}
              </text>
            ))}
          </svg>
        )}
      </div>
    </figure>
  );
}

const clamp = (index: number, length: number) => Math.max(0, Math.min(length - 1, index));

function stepsOf(points: readonly Point[], step: number, top: (value: bigint) => number): string {
  const corners = points.map(({ value }, index) => (index === 0 ? `M0 ${top(value)}` : `H${index * step} V${top(value)}`));
  return `${corners.join(" ")} H${points.length * step}`;
}

interface Tick {
  readonly label: string;
  readonly index: number;
  readonly anchor: "start" | "middle" | "end";
}

function ticksOf(points: readonly Point[], width: number): Tick[] {
  const last = points.length - 1;
  const middle = Math.round(last / 2);
  const wanted: (readonly [index: number, anchor: Tick["anchor"], isShown: boolean])[] = [
    [0, "start", last >= 0],
    [middle, "middle", last > 3 && width > 360],
    [last, "end", last > 0],
  ];
  return wanted.flatMap(([index, anchor, isShown]) => (isShown ? [{ label: points[index]?.label ?? "", index, anchor }] : []));
}

function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.max(120, Math.floor(entry.contentRect.width))));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}
