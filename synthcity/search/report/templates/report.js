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
