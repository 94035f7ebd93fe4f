// Gives the tables of a page what needs a script.
"use strict";
for (const element of document.querySelectorAll("table[data-sortable]")) {
  const table = new ensayo.Table(element);
  if (element.dataset.runs === undefined) continue;
  const bar = ensayo.addFilter(table);
  if (element.dataset.comparable !== undefined) ensayo.addComparison(table, bar);
}
