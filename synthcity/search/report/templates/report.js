for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const read = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.querySelector("summary")?.textContent ?? cell.textContent;
  };
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return a - b || (isNaN(a - b) ? a.localeCompare(b, undefined, { numeric: true }) : 0);
  };
  const sort = (column) => {
    const down = heads[column].getAttribute("aria-sort") === "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...body.rows].map((row) => [read(row, column), row]);
    rows.sort(([a], [b]) => (a === "" || b === "" ? compare(a, b) : down ? compare(b, a) : compare(a, b)));
    body.append(...rows.map(([, row]) => row));
  };
  heads.forEach((head, column) => {
    head.tabIndex = 0;
    head.addEventListener("click", () => sort(column));
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(column); });
  });
}

// the marks of a trial, and its row, light up together; a finger gets to read what a pointer is shown by the browser
const told = document.getElementById("told");
let lit = "";
document.addEventListener("pointerover", (event) => {
  const mark = event.target.closest?.("g:has(> title), [data-trial]");
  const trial = mark?.dataset.trial ?? "";
  if (trial !== lit) {
    document.querySelectorAll(".lit").forEach((other) => other.classList.remove("lit"));
    if (trial) document.querySelectorAll(`[data-trial="${CSS.escape(trial)}"]`).forEach((one) => one.classList.add("lit"));
    lit = trial;
  }
  const text = event.pointerType === "touch" ? mark?.querySelector(":scope > title")?.textContent : "";
  told.textContent = text ?? "";
  told.hidden = !text;
});
