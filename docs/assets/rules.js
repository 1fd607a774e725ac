"use strict";
// Filters above the table of all rules: by text (name, finding, code of another tool), category, severity and preset.
(() => {
  const start = () => {
    const place = document.getElementById("rule-filters");
    const table = place && document.querySelector("article table");
    if (!table || place.childElementCount) return;
    const rows = [...table.tBodies[0].rows];
    const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    const controls = [];
    const add = (label, control) => {
      const own = document.createElement("label");
      own.append(`${label} `, control);
      place.append(own, " ");
      control.addEventListener("input", filter);
      controls.push(control);
      return control;
    };
    const text = add("Search", Object.assign(document.createElement("input"), { type: "search", placeholder: "name, text, DL3008" }));
    const selects = ["category", "severity", "preset", "fixes"].map((name) => {
      const column = names.indexOf(name);
      const select = document.createElement("select");
      const values = new Set(rows.map((row) => row.cells[column].textContent.trim()));
      select.append(new Option("all", ""), ...[...values].sort().map((value) => new Option(value, value)));
      return { column, select: add(name[0].toUpperCase() + name.slice(1), select) };
    });
    const shown = document.createElement("output");
    shown.setAttribute("aria-live", "polite");
    place.append(shown);
    function filter() {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let number = 0;
      for (const row of rows) {
        const own = row.textContent.toLowerCase();
        const matches =
          words.every((word) => own.includes(word)) &&
          selects.every(({ column, select }) => !select.value || row.cells[column].textContent.trim() === select.value);
        row.hidden = !matches;
        number += matches ? 1 : 0;
      }
      shown.textContent = `${number} of ${rows.length} rules`;
    }
    filter();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
