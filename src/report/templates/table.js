// Tables that can be sorted and filtered. Without this script they are all there, in their order.
"use strict";
const ensayo = {};
(() => {
  // Rows that are in the document at first; more on demand.
  const FIRST_ROWS = 200;

  const make = (name, properties = {}, ...children) => {
    const made = document.createElement(name);
    const { dataset, ...others } = properties;
    Object.assign(made, others);
    Object.assign(made.dataset, dataset ?? {});
    made.append(...children);
    return made;
  };

  // The number that a cell begins with, such as of `1,038,338`, `0.16 %` or `0.8450 ± 0.0100`.
  const NUMBER = /^[+-]?(\d[\d,]*\.?\d*|\.\d+)(e[+-]?\d+)?(?=$|\s)/i;
  const numberOf = (cell) => {
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    const found = NUMBER.exec(cell.textContent.trim());
    return found ? Number(found[0].replaceAll(",", "")) : NaN;
  };
  const textOf = (cell) => (cell.querySelector("a") ?? cell).textContent.trim();
  const natural = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  class Table {
    constructor(table) {
      this.table = table;
      this.body = table.tBodies[0];
      this.rows = [...this.body.rows];
      this.order = this.rows.map((_, index) => index);
      this.shown = FIRST_ROWS;
      this.wanted = () => true;
      this.keys = new Map();
      // Only readers of large tables have rows out of sight.
      this.scroll = table.closest(".scroll");
      this.more = make("button", { type: "button", className: "more" });
      this.more.addEventListener("click", () => { this.shown = Infinity; this.fill(); });
      this.scroll.after(this.more);
      this.heads = [...table.tHead.rows[0].cells];
      this.heads.forEach((head, column) => this.addButton(head, column));
      this.fill();
    }

    addButton(head, column) {
      const title = head.textContent.trim();
      const button = make("button", { type: "button", className: "sort", title: `Sort by ${head.title || title}` });
      button.append(...head.childNodes);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "descending";
        const up = head.getAttribute("aria-sort") === "ascending";
        const first = this.isNumeric(column) && !head.matches(".rank") ? "descending" : "ascending";
        this.sort(column, down ? "ascending" : up ? "descending" : first);
      });
      head.append(button);
    }

    // What a column is sorted by: numbers where all its cells are some, else texts.
    key(column) {
      if (!this.keys.has(column)) {
        const cells = this.rows.map((row) => row.cells[column]);
        const texts = cells.map((cell) => (cell ? textOf(cell) : ""));
        const numbers = cells.map((cell) => (cell ? numberOf(cell) : NaN));
        const numeric = numbers.some(Number.isFinite)
          && texts.every((text, row) => text === "" || text === "not finite" || Number.isFinite(numbers[row]));
        this.keys.set(column, { numeric, values: numeric ? numbers : texts });
      }
      return this.keys.get(column);
    }

    isNumeric(column) { return this.key(column).numeric; }

    sort(column, direction) {
      const { numeric, values } = this.key(column);
      const sign = direction === "ascending" ? 1 : -1;
      const missing = (row) => (numeric ? !Number.isFinite(values[row]) : values[row] === "");
      const between = numeric ? (a, b) => values[a] - values[b] : (a, b) => natural.compare(values[a], values[b]);
      // What has no value comes last either way.
      this.order.sort((a, b) => missing(a) - missing(b) || (missing(a) ? a - b : sign * between(a, b)) || a - b);
      for (const head of this.heads) head.removeAttribute("aria-sort");
      this.heads[column].setAttribute("aria-sort", direction);
      this.fill();
    }

    filter(wanted) {
      this.wanted = wanted;
      this.fill();
      return this.found;
    }

    fill() {
      const found = this.order.filter((row) => this.wanted(row));
      this.found = found.length;
      this.body.replaceChildren(...found.slice(0, this.shown).map((row) => this.rows[row]));
      const hidden = Math.max(0, found.length - this.shown);
      this.more.hidden = hidden === 0;
      this.more.textContent = `Show ${hidden.toLocaleString("en")} more rows`;
    }
  }

  // The controls above a table of runs: a text, and the states that there are.
  const addFilter = (table) => {
    const texts = table.rows.map((row) => `${row.textContent} ${row.cells[1].title}`.toLowerCase());
    const states = table.rows.map((row) => row.querySelector("td.state").textContent.trim());
    const bar = make("div", { className: "controls" });
    const text = make("input", { type: "search", placeholder: "rank=4, deberta …" });
    const state = make("select", {});
    const count = make("span", { className: "count", role: "status" });
    const known = [...new Set(states)];
    state.append(make("option", { value: "" }, `all (${states.length})`));
    for (const one of known) {
      const number = states.filter((other) => other === one).length;
      state.append(make("option", { value: one }, `${one} (${number})`));
    }
    const apply = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      const found = table.filter((row) =>
        (state.value === "" || states[row] === state.value) && words.every((word) => texts[row].includes(word)));
      const all = table.rows.length;
      count.textContent = found === all ? `${all.toLocaleString("en")} rows` : `${found.toLocaleString("en")} of ${all.toLocaleString("en")} rows`;
    };
    text.addEventListener("input", apply);
    state.addEventListener("change", apply);
    bar.append(make("label", {}, "Filter ", text), make("label", {}, "State ", state), count);
    table.scroll.before(bar);
    apply();
    return bar;
  };

  Object.assign(ensayo, { make, Table, addFilter });
})();
