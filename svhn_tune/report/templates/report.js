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

/* The interactive figures: plotly is unpacked when the first is about to be seen. */
async function unpack(element) {
  const bytes = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/* Letters in the page's colour, light or dark. */
function letters(isParallel) {
  const { color, fontFamily } = getComputedStyle(document.body);
  const trace = {};
  if (isParallel) {
    for (const font of ["labelfont", "tickfont", "rangefont"]) trace[`${font}.color`] = color;
  }
  return [trace, { "font.color": color, "font.family": fontFamily, "modebar.color": color }];
}

/* Buttons that put other places across, such as epochs instead of hours. */
function addSwitch(figure, plot, choices) {
  const group = document.createElement("div");
  group.className = "switch";
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "What is across");
  const buttons = choices.map((choice, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `against ${choice.name}`;
    button.setAttribute("aria-pressed", String(place === 0));
    button.addEventListener("click", () => {
      buttons.forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
      const across = { "xaxis.title.text": choice.title, "xaxis.autorange": true };
      window.Plotly.update(plot, { x: choice.x }, across);
    });
    return button;
  });
  group.append(...buttons);
  figure.querySelector(".live").before(group);
}

async function makeLive(figure) {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser cannot unpack it (Chrome 80, Firefox 113, Safari 16.4 can)");
  }
  const { data, layout } = JSON.parse(figure.querySelector(".plot-data").textContent);
  const isParallel = data[0].type === "parcoords";
  if (isParallel && !document.createElement("canvas").getContext("webgl")) {
    throw new Error("this browser has no WebGL");
  }
  // An indirect eval, so that plotly finds its place in the window.
  if (!window.Plotly) {
    unpacking ??= unpack(document.getElementById("packed-plotly")).then((text) => (0, eval)(text));
    await unpacking;
  }
  const plot = figure.querySelector(".plot");
  plot.style.height = `${layout.height}px`;
  show(figure, true);
  const config = { responsive: true, displaylogo: false, displayModeBar: !isParallel };
  config.modeBarButtons = [["zoomIn2d", "zoomOut2d", "resetScale2d"]];
  // A finger that drags scrolls the page; the buttons zoom.
  if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false;
  await window.Plotly.newPlot(plot, data, layout, config);
  await window.Plotly.update(plot, ...letters(isParallel));
  if (layout.meta?.switch) addSwitch(figure, plot, layout.meta.switch);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    window.Plotly.update(plot, ...letters(isParallel)),
  );
}

let unpacking;

function show(figure, isLive) {
  figure.querySelectorAll(".live").forEach((each) => (each.hidden = !isLive));
  figure.classList.toggle("is-live", isLive);
}

function stayStill(figure, error) {
  show(figure, false);
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
