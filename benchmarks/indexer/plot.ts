type Point = readonly [x: number, y: number];

export interface Plot {
  readonly title: string;
  readonly panels: readonly {
    readonly label: string;
    readonly series: readonly { readonly name: string; readonly points: readonly Point[] }[];
  }[];
}

const colours = ["#0f766e", "#b45309", "#4338ca", "#be123c"];
const [width, height, left, top] = [360, 220, 60, 50];

/** Lines over a logarithmic number of things, one panel beside the other, as SVG. */
export function plot({ title, panels }: Plot): string {
  const parts = panels.map((panel, index) => panelOf(panel, index * (width + left + 40) + left));
  const [wide, high] = [panels.length * (width + left + 40) + 20, height + 2 * top + 30];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${wide} ${high}" font-family="sans-serif" font-size="12"><title>${title}</title>
<rect width="100%" height="100%" fill="white"/><text x="${left}" y="22" font-size="15">${title}</text>
${parts.join("\n")}
</svg>
`;
}

function panelOf({ label, series }: Plot["panels"][number], x0: number): string {
  const points = series.flatMap((one) => one.points);
  const xs = points.map(([x]) => Math.log10(x));
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  const most = Math.max(...points.map(([, y]) => y)) * 1.1 || 1;
  const x = (value: number) => x0 + ((Math.log10(value) - low) / (high - low || 1)) * width;
  const y = (value: number) => top + height - (value / most) * height;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const value = part * most;
    const shown = value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
    return `<line x1="${x0}" x2="${x0 + width}" y1="${y(value)}" y2="${y(value)}" stroke="#e5e7eb"/><text x="${x0 - 6}" y="${y(value) + 4}" text-anchor="end">${shown}</text>`;
  });
  const ticks = [...new Set(points.map(([value]) => value))].map(
    (value) => `<text x="${x(value)}" y="${top + height + 18}" text-anchor="middle">${value.toLocaleString("en")}</text>`,
  );
  const lines = series.map(({ name, points: own }, index) => {
    const colour = colours[index % colours.length];
    const path = own.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(" ");
    const dots = own.map(([a, b]) => `<circle cx="${x(a).toFixed(1)}" cy="${y(b).toFixed(1)}" r="3" fill="${colour}"/>`).join("");
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}<text x="${x0 + 8 + index * 130}" y="${top + height + 40}" fill="${colour}">${name}</text>`;
  });
  return `<text x="${x0}" y="${top - 8}">${label}</text>${grid.join("")}${ticks.join("")}${lines.join("")}`;
}
