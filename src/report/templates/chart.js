// Curves of several runs in one picture.
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 320, 64, 16, 12, 44];

  const shape = (name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // Round numbers from below `low` to above `high`; whole ones where all values are.
  const ticks = (low, high, whole) => {
    const span = high - low || Math.abs(high) || 1;
    const raw = Math.max(span / 5, whole ? 1 : 0), power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw) ?? raw;
    const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const made = [];
    for (let at = first; at <= Math.max(last, first + 1); at++) {
      // A zero has no sign.
      made.push({ value: at * step, text: (at * step || 0).toFixed(Math.min(digits, 10)) });
    }
    return made;
  };

  // Draws curves: [{ label, seeds: [[[x, y] …] …] }]; null where there is nothing to draw.
  const chart = (title, curves) => {
    const isPoint = ([x, y]) => Number.isFinite(x) && Number.isFinite(y);
    const points = curves.flatMap((curve) => curve.seeds.flat()).filter(isPoint);
    if (points.length === 0) return null;
    const ends = (values) => values.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [Infinity, -Infinity]);
    const [across, up] = [0, 1].map((axis) => points.map((point) => point[axis]))
      .map((values) => ticks(...ends(values), values.every(Number.isInteger)));
    const place = (marks, from, to) => (value) =>
      from + ((value - marks[0].value) / (marks.at(-1).value - marks[0].value)) * (to - from);
    const x = place(across, LEFT, WIDTH - RIGHT), y = place(up, HEIGHT - BOTTOM, TOP);
    const last = curves.map((curve) => {
      const ends = curve.seeds.map((seed) => seed.filter(isPoint).at(-1)?.[1]).filter(Number.isFinite);
      return `${curve.label} ends at ${ends.map((end) => end.toFixed(4)).join(", ") || "no value"}`;
    });
    const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}: ${last.join("; ")}`, class: "chart" });
    for (const mark of up) {
      svg.append(shape("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(mark.value), y2: y(mark.value) }));
      svg.append(shape("text", { x: LEFT - 8, y: y(mark.value) + 4, "text-anchor": "end" }, mark.text));
    }
    for (const mark of across) {
      svg.append(shape("text", { x: x(mark.value), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, mark.text));
    }
    const name = title.split(" by ").at(-1);
    svg.append(shape("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, name));
    curves.forEach((curve, index) => {
      for (const seed of curve.seeds) {
        const drawn = seed.filter(isPoint);
        const line = drawn.map(([one, two]) => `${x(one).toFixed(1)},${y(two).toFixed(1)}`).join(" ");
        svg.append(shape("polyline", { class: `line c${index % 8}`, points: line }));
        if (drawn.length < 30) {
          for (const [one, two] of drawn) {
            svg.append(shape("circle", { class: `dot c${index % 8}`, cx: x(one), cy: y(two), r: 3 }));
          }
        }
      }
    });
    return svg;
  };

  ensayo.chart = chart;
})();
