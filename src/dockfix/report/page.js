"use strict";
(() => {
  const form = document.getElementById("filters");
  const findings = [...document.querySelectorAll("article.finding")];
  const shown = document.getElementById("shown");
  const openAll = document.getElementById("open-all");

  const chosen = () => ({
    severity: [...form.querySelectorAll("[name=severity]:checked")].map((each) => each.value),
    kind: [...form.querySelectorAll("[name=kind]:checked")].map((each) => each.value),
    file: form.elements.file.value,
    rule: form.elements.rule.value,
  });

  const filter = () => {
    const want = chosen();
    let number = 0;
    for (const each of findings) {
      const { severity, kind, file, rule } = each.dataset;
      const matches =
        want.severity.includes(severity) &&
        want.kind.includes(kind) &&
        (!want.file || want.file === file) &&
        (!want.rule || want.rule === rule);
      each.hidden = !matches;
      number += matches ? 1 : 0;
    }
    for (const section of document.querySelectorAll("section.file")) {
      const own = section.querySelectorAll("article.finding");
      const some = [...own].some((each) => !each.hidden);
      section.hidden = own.length ? !some : number !== findings.length;
    }
    shown.textContent = `${number} of ${findings.length} findings`;
  };

  // The filters are in the address, so that a link can name them: #severity=error&rule=cache-mount
  const remember = () => {
    const want = chosen();
    const query = new URLSearchParams();
    for (const name of ["severity", "kind"]) {
      if (want[name].length !== form.querySelectorAll(`[name=${name}]`).length) query.set(name, want[name].join(","));
    }
    for (const name of ["file", "rule"]) if (want[name]) query.set(name, want[name]);
    history.replaceState(null, "", `#${query.toString() || "findings"}`);
  };

  const recall = () => {
    const query = new URLSearchParams(location.hash.slice(1));
    if (!["severity", "kind", "file", "rule"].some((name) => query.has(name))) return false;
    for (const name of ["severity", "kind"]) {
      const values = query.has(name) ? query.get(name).split(",") : null;
      for (const box of form.querySelectorAll(`[name=${name}]`)) box.checked = !values || values.includes(box.value);
    }
    for (const name of ["file", "rule"]) {
      const select = form.elements[name];
      const value = query.get(name) || "";
      select.value = [...select.options].some((each) => each.value === value) ? value : "";
    }
    filter();
    document.getElementById("findings").scrollIntoView();
    return true;
  };

  const showTarget = () => {
    if (form && recall()) return;
    const target = document.getElementById(location.hash.slice(1)); // no name needs to be decoded
    if (!target) return;
    const hidden = target.closest("[hidden]");
    if (hidden && form) {
      form.reset();
      filter();
    }
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    const change = target.matches("article.finding") && target.querySelector("details.change");
    if (change) change.open = true;
    target.scrollIntoView();
  };

  const setAll = (open) => {
    for (const each of document.querySelectorAll("details.change:not(.whole)")) each.open = open;
    openAll.textContent = open ? "Close all diffs" : "Open all diffs";
  };

  if (form) {
    form.hidden = false;
    form.addEventListener("change", () => {
      filter();
      remember();
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    document.getElementById("show-all").addEventListener("click", () => {
      form.reset();
      filter();
      remember();
    });
    openAll.addEventListener("click", () => setAll(openAll.textContent.startsWith("Open")));
    filter();
  }
  window.addEventListener("hashchange", showTarget);
  window.addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
  showTarget();
})();
