// Runs that a reader selects, side by side: curves, settings and paired tests.
"use strict";
(() => {
  const { make, paired, holm, chart, LEVEL, FEWEST_DISCORDANT } = ensayo;
  // More could neither be told apart in a picture nor read in a table.
  const MOST = 8;
  const received = new Map(), waiting = new Map();

  // Called by the file of an experiment's data.
  ensayo.receive = (experiment, data) => {
    received.set(experiment, data);
    for (const ready of waiting.get(experiment) ?? []) ready(data);
    waiting.delete(experiment);
  };

  // A page from disk may not fetch, but may load a script.
  const load = (experiment, address) => new Promise((resolve, reject) => {
    if (received.has(experiment)) { resolve(received.get(experiment)); return; }
    const first = !waiting.has(experiment);
    waiting.set(experiment, [...(waiting.get(experiment) ?? []), resolve]);
    if (!first) return;
    const script = make("script", { src: address });
    script.addEventListener("error", () => { waiting.delete(experiment); script.remove(); reject(new Error(address)); });
    document.head.append(script);
  });

  // The bits of base64, the lowest of each byte first.
  const bits = (text, rows) => {
    const bytes = atob(text);
    return Uint8Array.from({ length: rows }, (_, row) => (bytes.charCodeAt(row >> 3) >> (row & 7)) & 1);
  };

  const four = (value) => value.toFixed(4);
  const signed = (value) => (value < 0 ? "-" : "+") + four(Math.abs(value));
  const pText = (p) => (p < 1e-4 ? "< 0.0001" : four(p));
  const pSaid = (p) => (p < 1e-4 ? "< 0.0001" : `= ${four(p)}`);
  const head = (first, titles, className) => make("thead", {}, make("tr", {}, make("th", { scope: "col" }, first),
    ...titles.map((title) => make("th", { scope: "col", className }, title))));
  const tableOf = (caption, first, rows) => make("div", { className: "scroll" },
    make("table", {}, make("caption", {}, caption), first, make("tbody", {}, ...rows)));

  const legend = (runs) => make("ul", { className: "legend" }, ...runs.map((run, index) =>
    make("li", { className: `c${index % 8}` }, run.label)));

  const curves = (runs) => {
    const names = [...new Set(runs.flatMap((run) => run.seeds.flatMap((seed) => Object.keys(seed.curves))))];
    if (names.length === 0) return [make("p", { className: "meta" }, "These runs left no curves.")];
    const picture = make("div", { className: "plot" });
    const choice = make("select", {}, ...names.map((name) => make("option", { value: name }, name)));
    const draw = () => {
      const drawn = chart(choice.value, runs.map((run) => ({
        label: run.label,
        seeds: run.seeds.map((seed) => seed.curves[choice.value] ?? []),
      })));
      picture.replaceChildren(drawn ?? make("p", { className: "meta" }, "No run has a finite value of it."));
    };
    choice.addEventListener("change", draw);
    draw();
    return [make("label", {}, "Curves ", choice), picture, legend(runs)];
  };

  const settings = (runs, varying) => {
    const value = (run, key) => run.settings[key] ?? "";
    const differs = varying.filter((key) => runs.some((run) => value(run, key) !== value(runs[0], key)));
    if (differs.length === 0) return make("p", {}, "They have the same settings.");
    const rows = differs.map((key) => make("tr", {}, make("th", { scope: "row" }, key),
      ...runs.map((run) => make("td", { className: "setting" }, value(run, key) || "not set"))));
    return tableOf("Settings that differ", head("setting", runs.map((run) => run.label), "setting"), rows);
  };

  // Evaluations that all seeds of all runs have: test first, then validation, then by name.
  const evaluations = (runs) => {
    const seeds = runs.flatMap((run) => run.seeds);
    const rank = (name) => [["test", "validation"].indexOf(name)].map((at) => (at < 0 ? 2 : at))[0];
    return Object.keys(seeds[0]?.answers ?? {})
      .filter((name) => seeds.every((seed) => seed.answers[name]))
      .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  };

  // Why two runs cannot be compared on an evaluation; null where they can.
  const refusal = (one, two, evaluation) => {
    const all = [...one.seeds, ...two.seeds].map((seed) => seed.answers[evaluation]);
    if (all.every((judged) => judged.mark === all[0].mark && judged.rows === all[0].rows)) return null;
    const other = all.find((judged) => judged.rows !== all[0].rows);
    return other ? `${all[0].rows} rows against ${other.rows}` : "the same number of rows, but other ones";
  };

  const verdict = (one, two, test, p) => {
    const discordant = test.better + test.worse;
    if (discordant < FEWEST_DISCORDANT) {
      return `${one.label} and ${two.label} cannot be told apart: they differ on ${discordant} ${discordant === 1 ? "row" : "rows"} of ${test.rows}, and fewer than ${FEWEST_DISCORDANT} are never enough.`;
    }
    if (p < LEVEL) {
      const [winner, loser] = test.difference > 0 ? [one, two] : [two, one];
      return `${winner.label} is better than ${loser.label}, by ${four(Math.abs(test.difference))}; chance is an unlikely explanation (p ${pSaid(p)}).`;
    }
    const seeds = test.seedsP !== null && test.rowsP < LEVEL && test.seedsP >= LEVEL;
    const why = seeds ? ", since their seeds differ among themselves by as much" : "";
    return `${one.label} and ${two.label} cannot be told apart${why} (p ${pSaid(p)}); the difference may be chance.`;
  };

  const tests = (runs, evaluation) => {
    const pairs = runs.flatMap((one, index) => runs.slice(index + 1).map((two) => ({ one, two, refused: refusal(one, two, evaluation) })));
    const right = (run) => run.seeds.map((seed) => bits(seed.answers[evaluation].right, seed.answers[evaluation].rows));
    const judged = pairs.filter((pair) => pair.refused === null);
    for (const pair of judged) pair.test = paired(right(pair.one), right(pair.two));
    const corrected = holm(judged.map((pair) => pair.test.p));
    judged.forEach((pair, index) => { pair.corrected = corrected[index]; });
    const several = judged.length > 1;
    const said = pairs.map((pair) => make("li", {}, pair.refused === null
      ? verdict(pair.one, pair.two, pair.test, pair.corrected)
      : `${pair.one.label} and ${pair.two.label} were not evaluated on the same rows of ${evaluation}: ${pair.refused}. Only runs with the same data and split can be compared.`));
    const rows = judged.map(({ one, two, test, corrected: holm }) => {
      const row = make("tr", {}, make("th", { scope: "row" }, `${one.label} − ${two.label}`),
        ...[four(test.accuracies[0]), four(test.accuracies[1]), signed(test.difference), `${test.better} / ${test.worse}`, pText(test.p)]
          .map((text) => make("td", { className: "number" }, text)));
      if (several) row.append(make("td", { className: "number" }, pText(holm)));
      const { rows, better, worse, rowsP, seedsP, p, difference } = test;
      row.dataset.test = JSON.stringify({ rows, better, worse, rowsP, seedsP, p, difference, holm });
      return row;
    });
    const made = [make("ul", { className: "verdicts" }, ...said)];
    if (rows.length > 0) {
      const titles = ["accuracy of the first", "of the second", "difference", "rows better / worse", "p"];
      made.push(tableOf(`Paired tests on ${evaluation}`, head("pair", [...titles, ...(several ? ["p after Holm"] : [])], "number"), rows));
      const seeds = judged.some((pair) => pair.test.seedsP !== null);
      made.push(make("p", { className: "meta" }, "p: McNemar's exact test for one seed each, the exact sign-flip test over the rows for several"
        + (seeds ? ", and the larger of that and Welch's t-test over the seeds." : ". With one seed it covers other texts only, not other trainings.")));
    }
    return made;
  };

  const comparison = (runs, varying) => {
    const parts = [make("h4", {}, "Curves"), ...curves(runs), make("h4", {}, "Settings"), settings(runs, varying), make("h4", {}, "Paired tests")];
    const shared = evaluations(runs);
    if (shared.length === 0) {
      parts.push(make("p", {}, "The runs have no evaluation in common with a prediction for each row: only classifiers can be tested in pairs."));
    } else {
      const place = make("div", {});
      const choice = make("select", {}, ...shared.map((name) => make("option", { value: name }, name)));
      const show = () => place.replaceChildren(...tests(runs, choice.value));
      choice.addEventListener("change", show);
      show();
      const command = `ensayo compare ${runs.map((run) => run.typed).join(" ")}`;
      parts.push(make("label", {}, "Evaluation ", choice), place,
        make("p", { className: "meta" }, "The same in the terminal, with the interval of each difference: ", make("code", {}, command)));
    }
    return parts;
  };

  // Lets a reader select rows of a table of runs, and shows them side by side below it.
  ensayo.addComparison = (table, bar) => {
    const { experiment, data } = table.table.dataset;
    const chosen = new Set();
    const place = make("section", { className: "compare", hidden: true, tabIndex: -1 });
    place.setAttribute("aria-label", `Comparison of runs of ${experiment}`);
    const compare = make("button", { type: "button", className: "go" }), clear = make("button", { type: "button" }, "Clear");
    const boxes = [];
    const say = () => {
      compare.textContent = chosen.size < 2 ? "Select two runs to compare" : `Compare ${chosen.size} runs`;
      compare.disabled = chosen.size < 2;
      clear.hidden = chosen.size === 0;
      for (const box of boxes) box.disabled = chosen.size >= MOST && !box.checked;
    };
    for (const row of table.rows.filter((one) => one.dataset.comparable !== undefined)) {
      const box = make("input", { type: "checkbox" });
      box.setAttribute("aria-label", `Compare ${row.cells[1].title || row.querySelector("a").textContent}`);
      box.addEventListener("change", () => {
        if (box.checked) chosen.add(row.dataset.run); else chosen.delete(row.dataset.run);
        say();
      });
      boxes.push(box);
      row.cells[0].prepend(box);
    }
    clear.addEventListener("click", () => {
      for (const box of boxes) box.checked = false;
      chosen.clear();
      place.hidden = true;
      say();
    });
    compare.addEventListener("click", async () => {
      place.replaceChildren(make("h3", {}, "Comparison"));
      try {
        const known = await load(experiment, data);
        // In the order of the table, whatever the order of the clicks.
        const order = table.order.map((row) => table.rows[row].dataset.run);
        const runs = order.filter((run) => chosen.has(run)).map((run) => known.runs[run]);
        place.append(...comparison(runs, known.varying));
      } catch (error) {
        place.append(make("p", { className: "bad" }, `Cannot read ${error.message}: it belongs beside this page; ensayo report writes it.`));
      }
      place.hidden = false;
      place.focus({ preventScroll: true });
      place.scrollIntoView({ block: "start" });
    });
    bar.append(compare, clear);
    table.more.after(place);
    say();
  };
})();
