"use strict";

/* Sorting: a column's title is a button; a second press turns the order round. */
function sortBy(table, column, direction) {
  const body = table.tBodies[0];
  const key = (row) => {
    const cell = row.cells[column];
    const value = cell.dataset.value;
    if (value !== undefined) return Number(value);
    return cell.textContent === "-" ? null : cell.textContent;
  };
  const compare = (a, b) =>
    typeof a === "string" || typeof b === "string"
      ? String(a).localeCompare(String(b), "en", { numeric: true })
      : a - b;
  const rows = Array.from(body.rows, (row) => [key(row), row]);
  rows.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return direction * compare(a, b);
  });
  body.append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  const titles = Array.from(table.tHead.rows[0].cells);
  titles.forEach((title, column) => {
    title.querySelector("button").addEventListener("click", () => {
      const isUp = title.getAttribute("aria-sort") === "ascending";
      titles.forEach((other) => other.removeAttribute("aria-sort"));
      title.setAttribute("aria-sort", isUp ? "descending" : "ascending");
      sortBy(table, column, isUp ? -1 : 1);
    });
  });
}

/* The interactive figure: plotly is unpacked when it is about to be seen. */
async function unpack(element) {
  const bytes = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/* Letters in the page's colour, light or dark. */
function letters() {
  const { color, fontFamily } = getComputedStyle(document.body);
  const trace = {};
  for (const font of ["labelfont", "tickfont", "rangefont"]) trace[`${font}.color`] = color;
  const layout = { "font.color": color, "font.family": fontFamily, "title.font.color": color };
  Object.assign(layout, { "title.x": 0.01, "title.xanchor": "left" });
  return [trace, layout];
}

async function makeLive(figure) {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser cannot unpack it (Chrome 80, Firefox 113, Safari 16.4 can)");
  }
  if (!document.createElement("canvas").getContext("webgl")) {
    throw new Error("this browser has no WebGL");
  }
  // An indirect eval, so that plotly finds its place in the window.
  if (!window.Plotly) (0, eval)(await unpack(document.getElementById("packed-plotly")));
  const { data, layout } = JSON.parse(figure.querySelector(".plot-data").textContent);
  const plot = figure.querySelector(".plot");
  figure.querySelector(".live").hidden = false;
  figure.classList.add("is-live");
  await window.Plotly.newPlot(plot, data, layout, { responsive: true, displayModeBar: false });
  await window.Plotly.update(plot, ...letters());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    window.Plotly.update(plot, ...letters()),
  );
}

function stayStill(figure, error) {
  figure.querySelector(".live").hidden = true;
  figure.classList.remove("is-live");
  const why = figure.querySelector(".why-still[role]");
  why.textContent = `A still picture, for ${error.message}. The table of all trials has the same numbers.`;
  why.hidden = false;
}

for (const data of document.querySelectorAll(".plot-data")) {
  const figure = data.closest("figure");
  const begin = () => makeLive(figure).catch((error) => stayStill(figure, error));
  if (typeof IntersectionObserver === "undefined") {
    begin();
  } else {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          observer.disconnect();
          begin();
        }
      },
      { rootMargin: "600px" },
    );
    observer.observe(figure);
  }
}
