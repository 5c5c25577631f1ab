
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const openForPrint = () => document.querySelectorAll("details").forEach((d) => { d.open = true; });
  window.addEventListener("beforeprint", openForPrint);

  const openTarget = () => {
    const target = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  window.addEventListener("hashchange", openTarget);
  openTarget();

  const tools = byId("ledger-tools");
  if (!tools) return;
  tools.hidden = false;
  const books = [...document.querySelectorAll("details.ledger")];
  const rows = [...document.querySelectorAll("tr.claim")];
  const text = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

  const levels = [...new Map(rows.map((row) => [row.dataset.level, Number(row.cells[1].dataset.value)]))]
    .sort((a, b) => a[1] - b[1]);
  for (const [level] of levels) byId("level").append(new Option(level, level));

  const opened = new Map(books.map((book) => [book, book.open]));
  let active = false;
  const filter = () => {
    const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const says = byId("says").value;
    const level = byId("level").value;
    const now = Boolean(words.length || says || level);
    if (now && !active) books.forEach((book) => opened.set(book, book.open));
    let shown = 0;
    for (const row of rows) {
      const fits = (!says || row.dataset.effect === says) && (!level || row.dataset.level === level)
        && words.every((word) => text.get(row).includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    document.querySelectorAll(".claims tbody").forEach((body) => {
      body.hidden = !body.querySelector("tr.claim:not([hidden])");
    });
    for (const book of books) {
      const any = book.querySelector("tr.claim:not([hidden])");
      book.hidden = now && !any;
      if (now) book.open = Boolean(any);
      else if (active) book.open = opened.get(book);
    }
    active = now;
    byId("found").textContent = now ? `${shown} of ${rows.length} claims shown` : `${rows.length} claims`;
  };
  for (const id of ["find", "says", "level"]) byId(id).addEventListener("input", filter);
  byId("reset").addEventListener("click", () => {
    for (const id of ["find", "says", "level"]) byId(id).value = "";
    filter();
    byId("find").focus();
  });
  filter();

  const order = new Intl.Collator("en", { numeric: true });
  document.querySelectorAll("table.claims").forEach((table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const numeric = head.dataset.kind === "number";
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const value = (row) => {
          const cell = row.cells[column];
          return numeric ? Number(cell.dataset.value) : cell.textContent.trim();
        };
        for (const body of table.tBodies) {
          const claims = [...body.querySelectorAll("tr.claim")];
          claims.sort((a, b) => (numeric ? value(a) - value(b) : order.compare(value(a), value(b))));
          if (down) claims.reverse();
          body.append(...claims);
        }
      });
    });
  });
})();
