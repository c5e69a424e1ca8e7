"use strict";
// Draws the pictures, and keeps one cursor and one stretch of time for all that share the axis.
const report = (() => {
  const page = document.documentElement.dataset;
  let pictures = [], timed = [], whole = [0, 1], shown = whole;

  // Takes the pictures that stand in the page; those that were there before keep their charts.
  function take(data) {
    const before = pictures, zoomed = shown !== whole;
    pictures = [...document.querySelectorAll("figure[data-picture]")].map((figure) => {
      const plot = figure.querySelector(".plot"), table = data.pictures[Number(figure.dataset.picture)];
      const picture = before.find((one) => one.plot === plot) || watched({ plot, chart: null });
      return Object.assign(picture, { table, stretches: data.stretches[table.stretches], stale: true });
    });
    for (const { plot, chart } of before.filter((one) => !pictures.includes(one))) {
      sights.unobserve(plot);
      widths.unobserve(plot);
      if (chart) chart.dispose();
    }
    timed = pictures.filter(({ table }) => table.overTime);
    whole = extent();
    if (!zoomed) shown = whole;
    say();
    schedule();
  }

  function watched(picture) {
    sights.observe(picture.plot);
    widths.observe(picture.plot);
    return picture;
  }

  const pictureOf = (plot) => pictures.find((picture) => picture.plot === plot);

  function extent() {
    let from = Infinity, to = -Infinity;
    for (const { table, stretches } of timed) {
      const xs = table.xEdges || table.curves.flatMap((curve) => [curve.x[0], curve.x[curve.x.length - 1]]);
      for (const x of [...xs, ...stretches.flatMap(([start, end]) => [start, end])]) {
        if (!Number.isFinite(x)) continue;
        from = Math.min(from, x);
        to = Math.max(to, x);
      }
    }
    return from < to ? [from, to] : [0, 1];
  }

  function draw(picture, width = picture.plot.clientWidth) {
    const { plot, table } = picture;
    if (!picture.chart) begin(picture);
    picture.stale = false;
    if (picture.chart.getWidth() !== width) picture.chart.resize({ width: width === plot.clientWidth ? "auto" : width });
    picture.chart.setOption(options[table.kind](table, picture.stretches, shown, width, plot.clientHeight), { notMerge: true });
    const svg = plot.querySelector("svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${plot.clientHeight}`);
    svg.setAttribute("aria-hidden", "true");
  }

  function begin(picture) {
    const { plot, table } = picture;
    if (table.kind === "forest") plot.style.height = `${48 + 19 * table.rows.length}px`;
    picture.chart = echarts.init(plot, null, { renderer: "svg" });
    picture.width = plot.clientWidth;
    for (const name of ["cursor", "brush"]) {
      picture[name] = plot.appendChild(document.createElement("div"));
      picture[name].className = name;
    }
    const tip = (points) => told(picture, points);
    const set = picture.chart.setOption.bind(picture.chart);
    picture.chart.setOption = (option, how) => set({ ...option, tooltip: { ...option.tooltip, formatter: tip } }, how);
    if (table.overTime) follow(picture);
  }

  // A tooltip of text nodes: names come from elsewhere, and stay text.
  function told(picture, points) {
    const box = document.createElement("div"), { table } = picture;
    box.className = "tip";
    const say = (words, color) => {
      const row = box.appendChild(document.createElement(box.childElementCount ? "div" : "p"));
      if (color) row.appendChild(document.createElement("span")).style.setProperty("--c", color);
      row.append(words);
    };
    const first = points[0];
    if (table.kind === "forest") return forestTold(table.rows[first.dataIndex], table.unit, say), box;
    const x = Number(first.axisValue);
    say(table.overTime ? options.elapsed(x) : `${table.x} ${table.logX ? options.number(100 - 100 / x) : options.number(x)}`);
    if (table.kind === "heat") heatTold(table, x, say);
    for (const point of points) {
      if (point.seriesName && point.seriesIndex < (table.curves || []).length) {
        say(`${point.seriesName} ${options.number(point.value[1])}`, options.color(point.seriesIndex));
      }
    }
    for (const [from, to, name] of picture.stretches) if (from <= x && x <= to) say(name);
    return box;
  }

  function heatTold(table, x, say) {
    const column = table.counts.findIndex((_, i) => x < table.xEdges[i + 1]);
    const levels = [...(table.cells[column] || "")].map(Number), most = Math.max(...levels);
    const row = levels.indexOf(most);
    say(`${options.number(table.counts[column])} requests`);
    if (most > 0) say(`most between ${options.number(table.yEdges[row])} and ${options.number(table.yEdges[row + 1])} ${table.y}`);
  }

  function forestTold([name, value, low, high, outcome, seen, tolerated], unit, say) {
    const change = (x) => `${x > 0 ? "+" : ""}${options.number(x)} ${unit}`;
    say(name);
    say(Number.isFinite(value) ? change(value) : "not measured");
    if (Number.isFinite(low) && Number.isFinite(high)) say(`95 % interval ${change(low)} to ${change(high)}`);
    if (Number.isFinite(seen)) say(`found from ${change(seen)}`);
    if (Number.isFinite(tolerated)) say(`tolerated below ${change(tolerated)}`);
    if (outcome) say(outcome);
  }

  // One cursor: where it is in one chart, a line stands in all others.
  function follow(picture) {
    const { chart, plot } = picture;
    const time = (offset) => chart.convertFromPixel({ xAxisIndex: 0 }, offset);
    let down = null;
    plot.addEventListener("pointermove", (event) => {
      const offset = event.clientX - plot.getBoundingClientRect().left;
      point(picture, time(offset));
      if (down !== null) spread(picture.brush, Math.min(down, offset), Math.abs(offset - down));
    });
    plot.addEventListener("pointerleave", () => { point(picture, null); });
    plot.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0) down = event.clientX - plot.getBoundingClientRect().left;
    });
    addEventListener("pointerup", (event) => {
      if (down === null) return;
      const up = event.clientX - plot.getBoundingClientRect().left, from = down;
      down = null;
      picture.brush.style.display = "none";
      if (Math.abs(up - from) > 6) zoom(...[time(from), time(up)].sort((a, b) => a - b));
    });
    plot.addEventListener("dblclick", () => zoom(...whole));
    plot.addEventListener("keydown", (event) => key(picture, event));
  }

  function spread(element, left, width) {
    Object.assign(element.style, { display: "block", left: `${left}px`, width: `${width}px` });
  }

  function point(from, at) {
    for (const picture of timed) {
      if (!picture.chart || picture === from) continue;
      const inside = at !== null && at >= shown[0] && at <= shown[1];
      picture.cursor.style.display = inside ? "block" : "none";
      if (inside) picture.cursor.style.left = `${picture.chart.convertToPixel({ xAxisIndex: 0 }, at)}px`;
    }
  }

  function key(picture, event) {
    const span = shown[1] - shown[0], middle = (shown[0] + shown[1]) / 2;
    const moves = {
      "+": [middle - span / 4, middle + span / 4], "-": [middle - span, middle + span],
      ArrowLeft: [shown[0] - span / 5, shown[1] - span / 5], ArrowRight: [shown[0] + span / 5, shown[1] + span / 5],
      Escape: whole, 0: whole,
    };
    if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    zoom(...moves[event.key]);
  }

  function zoom(from, to) {
    const least = (whole[1] - whole[0]) / 5000, span = Math.min(whole[1] - whole[0], Math.max(to - from, least));
    const start = Math.min(Math.max(from, whole[0]), whole[1] - span);
    shown = span < whole[1] - whole[0] ? [start, start + span] : whole;
    for (const picture of timed) picture.stale = true;
    say();
    schedule();
  }

  function say() {
    const place = document.getElementById("shown");
    if (place) place.textContent = shown.map((t) => options.elapsed(t)).join(" to ");
  }

  // What is in sight first; the rest in between whatever else there is to do, so that paper and searches have it too.
  const sights = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) Object.assign(pictureOf(target) || {}, { near: isIntersecting });
    schedule();
  }, { rootMargin: "200px" });
  let scheduled = false;
  function schedule() {
    delete page.drawn;
    delete page.complete;
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => { scheduled = false; inSight(); });
  }

  function inSight() {
    if (pictures.some(({ near }) => near === undefined)) return; // the observer has yet to say
    drawFor(120, ({ near }) => near);
    if (pictures.some(({ stale, near }) => stale && near)) return schedule();
    page.drawn = Math.round(performance.now());
    setTimeout(theRest);
  }

  function theRest() {
    if (scheduled) return;
    drawFor(30, () => true);
    if (pictures.some(({ stale }) => stale)) setTimeout(theRest);
    else page.complete = Math.round(performance.now());
  }

  function drawFor(most, wanted) {
    const until = performance.now() + most;
    for (const picture of pictures) {
      if (picture.stale && wanted(picture)) draw(picture);
      if (performance.now() > until) break;
    }
  }

  const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const picture = pictureOf(target);
      if (!picture || !picture.chart || picture.width === target.clientWidth || matchMedia("print").matches) continue;
      picture.width = target.clientWidth;
      picture.chart.resize({ width: "auto" });
      picture.stale = true;
      schedule();
    }
  });

  document.addEventListener("click", ({ target }) => {
    const link = target.closest("a.moment");
    if (target.closest("[data-zoom]")) zoom(...whole);
    if (!link) return;
    const from = Number(link.dataset.from), to = Number(link.dataset.to);
    const pad = Math.max((to - from) / 2, (whole[1] - whole[0]) / 40);
    zoom(from - pad, to + pad);
  });
  // What is wider than paper would be shrunk to it, words and all: it is drawn anew, as wide as paper.
  const PAPER = 690, tooWide = ({ plot }) => plot.clientWidth > PAPER;
  addEventListener("beforeprint", () => pictures.forEach((one) => { if (tooWide(one)) draw(one, PAPER); else if (one.stale) draw(one); }));
  addEventListener("afterprint", () => pictures.filter(tooWide).forEach((one) => draw(one)));
  take(JSON.parse(document.getElementById("data").textContent));
  return { take };
})();
