"use strict";
// What ECharts is told of a picture. Colours are the style sheet's: light, dark and paper need no
// second drawing.
const options = (() => {
  const ink = "var(--ink)", quiet = "var(--quiet)", line = "var(--line)";
  const FONT = 11, TOP = 26, BOTTOM = 24, NAMES = 14;
  const DASHES = ["solid", [6, 3], [2, 2]];
  const FAR = 3; // times the highest value: a limit above it is named, and not drawn
  const color = (i) => `var(--c${i % 8})`;
  const VALUE = 1, LOW = 2, HIGH = 3, SEEN = 5, TOLERATED = 6; // columns of a forest's rows
  const tones = { trouble: "var(--trouble)", change: "var(--change)", phase: "var(--phase)" };

  function number(value) {
    if (value === null || value === undefined || Number.isNaN(value)) return "no data";
    const size = Math.abs(value);
    if (size >= 1000) return Math.round(value).toLocaleString("en-US");
    return String(Number(value.toPrecision(3)));
  }

  function elapsed(seconds, step = 1) {
    const total = Math.round(Math.abs(seconds) * (step < 1 ? 10 : 1)) / (step < 1 ? 10 : 1);
    const hours = Math.floor(total / 3600), minutes = Math.floor((total % 3600) / 60);
    const rest = Number((total % 60).toFixed(1)), sign = seconds < 0 ? "-" : "+";
    const two = (n) => String(n).padStart(2, "0");
    if (hours) return `T${sign}${hours}h${two(minutes)}m${rest ? `${two(rest)}s` : ""}`;
    return minutes ? `T${sign}${minutes}m${two(rest)}s` : `T${sign}${rest}s`;
  }

  // As a tick has it: a whole hour or minute is said as one.
  const short = (seconds) => elapsed(seconds).replace(/h00m$/, "h").replace(/m00s$/, "m");

  // Steps of an axis of time that people count in.
  function interval(span, width) {
    const wanted = (span * 62) / width;
    const nice = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
    return nice.find((step) => step >= wanted) || 86400;
  }

  // Ends and step of an axis that holds both values and begins and ends on a tick.
  function scale(low, high) {
    const wanted = (high - low || Math.abs(high) || 1) / 4, size = 10 ** Math.floor(Math.log10(wanted));
    const step = size * [1, 2, 2.5, 5, 10].find((n) => n * size >= wanted);
    const end = (value, round) => Number((round(value / step) * step).toPrecision(12));
    return { min: end(low, Math.floor), max: Math.max(end(high, Math.ceil), end(low, Math.floor) + step), interval: step };
  }

  // Its label would lie on that of the decade.
  function justBelowDecade(value) {
    const missing = Math.ceil(Math.log10(value)) - Math.log10(value);
    return missing > 0 && missing < 0.15;
  }

  function axis(more) {
    return {
      axisLine: { onZero: false, lineStyle: { color: line } }, axisTick: { lineStyle: { color: line } },
      splitLine: { lineStyle: { color: line, opacity: 0.6 } },
      axisLabel: { color: quiet, fontSize: FONT, hideOverlap: true, formatter: number },
      nameTextStyle: { color: quiet, fontSize: FONT }, minorTick: { show: false },
      minorSplitLine: { show: false }, ...more,
    };
  }

  function timeAxis([from, to], width) {
    const { left, right } = margins(width);
    const step = interval(to - from, width - left - right), places = [];
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) places.push(at);
    return axis({
      type: "value", min: from, max: to, splitLine: { show: false }, axisTick: { customValues: places },
      axisLabel: {
        color: quiet, fontSize: FONT, customValues: places, hideOverlap: true, formatter: short,
        alignMinLabel: places[0] === from ? "left" : "center", // beside the other axis' lowest
      },
    });
  }

  // The same for all charts over time, so that moments stand below each other.
  const margins = (width) => ({ left: 46, right: width < 620 ? 104 : 170 });

  function base(width) {
    return {
      animation: false, textStyle: { fontFamily: "inherit", color: ink },
      grid: { ...margins(width), top: TOP, bottom: BOTTOM, outerBoundsMode: "none" },
      tooltip: {
        trigger: "axis", confine: true, transitionDuration: 0, backgroundColor: "var(--paper)",
        borderColor: "var(--line)", padding: 8, axisPointer: { type: "line", lineStyle: { color: quiet } },
      },
    };
  }

  function range(table) {
    let low = Infinity, high = -Infinity;
    for (const curve of table.curves) {
      for (const value of [...curve.y, ...(curve.low || []), ...(curve.high || [])]) {
        if (value === null) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    return [low, high];
  }

  // Limits that would press the curves to the floor are named at the top instead.
  function near(limits, high, log) {
    const inside = limits.filter(([value]) => log || value <= FAR * Math.max(high, 1e-9));
    const beyond = limits.filter((limit) => !inside.includes(limit));
    return [inside, beyond];
  }

  // The name of one close below another would lie on that one's line.
  function limitLines(limits) {
    const crowded = (value) => limits.some(([other]) => other > value && other < 2 * value);
    return limits.map(([value, name]) => ({
      yAxis: value, name,
      label: { formatter: name, position: crowded(value) ? "insideStartBottom" : "insideStartTop", color: "var(--limit)", fontSize: FONT },
      lineStyle: { color: "var(--limit)", type: [5, 3], width: 1.5 },
    }));
  }

  function upright(value, name, tone) {
    return {
      xAxis: value, name, label: { formatter: name, color: tone, fontSize: FONT, show: Boolean(name) },
      lineStyle: { color: tone, type: "dotted", width: 1.5 },
    };
  }

  function bands(stretches) {
    const wide = stretches.filter(([from, to]) => to > from);
    const phases = wide.filter(([, , , kind]) => kind === "phase");
    const others = ["trouble", "change"].flatMap((kind) => joined(wide.filter((one) => one[3] === kind)));
    const band = (opacity) => ([from, to, , kind], i) => [
      { xAxis: from, itemStyle: { color: tones[kind], opacity: opacity(i) } }, { xAxis: to },
    ];
    return [...phases.map(band((i) => (i % 2 ? 0.1 : 0.03))), ...others.map(band(() => 0.16))];
  }

  // What happened at several places at once is one band: laid over each other they would hide the curves.
  function joined(several) {
    const union = [];
    for (const one of [...several].sort(([a], [b]) => a - b)) {
      const last = union[union.length - 1];
      if (last && one[0] <= last[1]) last[1] = Math.max(last[1], one[1]);
      else union.push([...one]);
    }
    return union;
  }

  function moments(stretches) {
    return stretches.filter(([from, to]) => to <= from).map(([at, , , kind]) => upright(at, "", tones[kind]));
  }

  // The part of a curve that is shown, with its ends on the border.
  function cut(curve, [from, to]) {
    const xs = curve.x, keep = [];
    const at = (values, i, x) => {
      if (values[i] === null || values[i + 1] === null) return null;
      return values[i] + ((values[i + 1] - values[i]) * (x - xs[i])) / (xs[i + 1] - xs[i]);
    };
    const point = (i, x) => ["y", "low", "high"].map((name) => (curve[name] ? at(curve[name], i, x) : null));
    for (let i = 0; i < xs.length; i += 1) {
      if (i && !curve.points) {
        for (const border of [from, to]) {
          if (xs[i - 1] < border && border < xs[i]) keep.push([border, ...point(i - 1, border)]);
        }
      }
      if (xs[i] >= from && xs[i] <= to) {
        keep.push([xs[i], ...["y", "low", "high"].map((name) => (curve[name] ? curve[name][i] : null))]);
      }
    }
    const column = (n) => keep.map((row) => row[n]);
    return { ...curve, x: column(0), y: column(1), low: curve.low && column(2), high: curve.high && column(3) };
  }

  function fan(curve, i, logY) {
    return {
      type: "custom", silent: true, z: 1, data: [[curve.x[0], curve.y[0]]], tooltip: { show: false }, clip: true,
      encode: { x: 0, y: [] },
      renderItem: (_, api) => {
        const ends = (values) => curve.x.flatMap((x, n) => (values[n] === null || (logY && values[n] <= 0) ? [] : [api.coord([x, values[n]])]));
        return {
          type: "polygon", shape: { points: [...ends(curve.high), ...ends(curve.low).reverse()] },
          style: { fill: color(i), opacity: 0.18 },
        };
      },
    };
  }

  // Labels at the ends of curves, moved apart where they would cover each other.
  function apart(curves, { min, max }, logY, height) {
    const place = (value) => (logY ? (Math.log(max) - Math.log(value)) / (Math.log(max) - Math.log(min)) : (max - value) / (max - min)) * height;
    const ends = curves.map((curve, i) => ({ i, y: curve.y.filter((value) => value !== null).at(-1) }));
    const named = ends.filter(({ y }) => y !== undefined).map(({ i, y }) => ({ i, from: place(y), to: place(y) }));
    named.sort((a, b) => a.from - b.from);
    named.forEach((label, n) => { if (n) label.to = Math.max(label.to, named[n - 1].to + FONT + 1); });
    const over = named.length ? Math.max(0, named.at(-1).to - height + 5) : 0;
    named.reverse().forEach((label, n) => { label.to = Math.min(label.to - (n ? 0 : over), n ? named[n - 1].to - FONT - 1 : Infinity); });
    return new Map(named.map(({ i, from, to }) => [i, to - from]));
  }

  // A label whose curve ends a little early would lie on the others: it stands at the border, too.
  function late(curve, { from, to, log, most }, width) {
    const on = log ? Math.log : (x) => x, at = curve.x.filter((_, n) => curve.y[n] !== null).at(-1);
    const { left, right } = margins(width), gap = ((on(to) - on(at)) / (on(to) - on(from))) * (width - left - right);
    return gap > 0 && gap < most ? gap : 0;
  }

  // Points have no end to stand at: which are whose is told beside the unit.
  const legend = (curve, i) => (curve.points ? [`${"●▲■"[i % 3]} ${curve.name}`] : []);

  function curveSeries(curve, i, several, moved, width, across) {
    const data = curve.x.map((x, n) => [x, curve.y[n]]);
    if (curve.points) {
      const symbol = ["circle", "triangle", "rect"][i % 3];
      return { type: "scatter", name: curve.name, data, symbol, symbolSize: 6, itemStyle: { color: color(i) }, z: 3 };
    }
    return {
      type: "line", name: curve.name, data, showSymbol: data.length === 1, symbolSize: 5, z: 3,
      lineStyle: { color: color(i), width: 1.5, type: several ? DASHES[Math.floor(i / 3) % 3] : "solid" },
      itemStyle: { color: color(i) }, emphasis: { disabled: true },
      endLabel: {
        show: true, formatter: curve.name, color: color(i), fontSize: FONT, distance: 4, offset: [late(curve, across, width), moved.get(i) || 0],
        width: 0.85 * (margins(width).right - 12), overflow: "truncate",
      },
    };
  }

  function chart(table, stretches, shown, width, height) {
    const curves = table.overTime ? table.curves.map((curve) => cut(curve, shown)) : table.curves;
    const [low, high] = range({ curves });
    const [inside, beyond] = near(table.limits, high, table.logY);
    const option = base(width);
    const top = Math.max(high, ...inside.map(([value]) => value * 1.02));
    const ends = table.logY ? logRange(low, top) : scale(Math.min(0, low), Math.max(0, top));
    const bottom = table.overTime ? BOTTOM : 38;
    const named = table.marks.some(([, name]) => name) ? NAMES : 0;
    const moved = apart(curves, ends, table.logY, (height || 190) - TOP - named - bottom);
    const xs = curves.flatMap((curve) => curve.x);
    const across = table.overTime
      ? { from: shown[0], to: shown[1], log: false, most: 60 }
      : { from: Math.min(...xs), to: Math.max(...xs), log: table.logX, most: Infinity };
    option.xAxis = table.overTime ? timeAxis(shown, width) : axis({
      type: table.logX ? "log" : "value", splitLine: { show: false }, min: Math.min(...xs), max: Math.max(...xs),
      name: table.x, nameLocation: "middle", nameGap: 24,
      ...(table.ticks.length ? ticks(table.ticks) : {}),
    });
    Object.assign(option.grid, { top: TOP + named, bottom });
    option.yAxis = axis({
      type: table.logY ? "log" : "value",
      name: [table.y, ...curves.flatMap(legend), ...beyond.map(([, name]) => `↑ ${name}`)].join("   "),
      nameLocation: "end", nameGap: 8 + named, nameTextStyle: { align: "left", color: quiet, fontSize: FONT },
      axisLabel: { color: quiet, fontSize: FONT, hideOverlap: true, formatter: number, showMinLabel: !(table.logY && justBelowDecade(ends.min)) },
      ...ends,
    });
    option.series = curves.map((curve, i) => curveSeries(curve, i, curves.length > 3, moved, width, across));
    curves.forEach((curve, i) => { if (curve.low && curve.x.length) option.series.push(fan(curve, i, table.logY)); });
    decorate(option.series, stretches, [...limitLines(inside), ...table.marks.map(([x, name]) => upright(x, name, "var(--change)"))]);
    return option;
  }

  function decorate(series, stretches, lines) {
    series.push({
      type: "line", data: [], silent: true, tooltip: { show: false },
      markArea: { silent: true, label: { show: false }, data: bands(stretches) },
      markLine: { silent: true, symbol: "none", data: [...lines, ...moments(stretches)] },
    });
  }

  function logRange(low, high) {
    const nice = (value, round) => {
      const size = 10 ** Math.floor(Math.log10(value));
      return round(value / size) * size;
    };
    return { min: nice(Math.max(low, 1e-6), Math.floor), max: nice(high, Math.ceil) };
  }

  function ticks(named) {
    const names = new Map(named);
    return {
      axisLabel: { color: quiet, fontSize: FONT, hideOverlap: true, customValues: [...names.keys()], formatter: (value) => names.get(value) || "" },
      axisTick: { customValues: [...names.keys()] },
    };
  }

  function heat(table, stretches, shown, width) {
    const option = base(width);
    const { xEdges, yEdges, cells } = table;
    const [inside, beyond] = near(table.limits, yEdges[yEdges.length - 1], true);
    option.xAxis = timeAxis(shown, width);
    const ends = {
      min: Math.min(yEdges[0], ...inside.map(([value]) => value / 1.3)),
      max: Math.max(yEdges[yEdges.length - 1], ...inside.map(([value]) => 1.3 * value)),
    };
    const bare = Math.floor(Math.log10(ends.max)) < Math.ceil(Math.log10(ends.min)); // no decade between them
    option.yAxis = axis({
      type: "log", ...ends,
      axisLabel: { color: quiet, fontSize: FONT, formatter: number, showMinLabel: bare, showMaxLabel: bare },
      name: [table.y, ...beyond.map(([, name]) => `↑ ${name}`)].join("   "),
      nameLocation: "end", nameGap: 8, nameTextStyle: { align: "left", color: quiet, fontSize: FONT },
    });
    // Neighbours of one level are one shape: columns look alike, and shapes are what drawing costs.
    const draw = (level) => (_, api) => {
      const parts = [], held = (x) => Math.min(Math.max(x, shown[0]), shown[1]);
      const across = xEdges.map((x) => api.coord([held(x), yEdges[0]])[0].toFixed(1));
      const up = yEdges.map((y) => api.coord([shown[0], y])[1].toFixed(1));
      for (let row = 0; row < yEdges.length - 1; row += 1) {
        for (let i = 0, from; i < cells.length; i += 1) {
          if (cells[i][row] !== level) continue;
          for (from = i; i + 1 < cells.length && cells[i + 1][row] === level;) i += 1;
          if (across[from] !== across[i + 1]) parts.push(`M${across[from]} ${up[row + 1]}H${across[i + 1]}V${up[row]}H${across[from]}Z`);
        }
      }
      return { type: "path", shape: { pathData: parts.join("") || "M0 0" }, style: { fill: "var(--c0)", opacity: 0.12 + 0.17 * (Number(level) - 1) } };
    };
    option.series = [..."123456"].map((level) => ({
      type: "custom", silent: true, clip: true, data: [[shown[0], yEdges[0]]], encode: { x: 0, y: [] },
      renderItem: draw(level), tooltip: { show: false },
    }));
    // Something for the cursor to stop at.
    const middles = table.counts.map((_, i) => [(xEdges[i] + xEdges[i + 1]) / 2, yEdges[0]]);
    option.series.push({ type: "scatter", data: middles, symbolSize: 0, silent: true });
    decorate(option.series, stretches.filter(([, , , kind]) => kind !== "phase"), limitLines(inside));
    return option;
  }

  function forest(table, _stretches, _shown, width) {
    const rows = table.rows, option = base(width);
    const known = (...columns) => rows.flatMap((row) => columns.map((n) => row[n])).filter(Number.isFinite);
    // An interval that is very wide must not hide the others: it leaves the picture.
    const most = 2.5 * Math.max(10, ...known(VALUE).map(Math.abs));
    const held = known(VALUE, LOW, HIGH, SEEN, TOLERATED).map((x) => Math.max(-most, Math.min(most, x)));
    const left = Math.min(0, ...held), right = Math.max(0, ...held), pad = 0.04 * (right - left || 1);
    const names = Math.min(0.45 * width, 16 + 6.4 * Math.max(...rows.map(([name]) => name.length)));
    option.tooltip.axisPointer = { type: "shadow", shadowStyle: { opacity: 0.08 } };
    option.grid = { left: names, right: 16, top: 6, bottom: 38, outerBoundsMode: "none" };
    option.xAxis = axis({
      type: "value", min: left - pad, max: right + pad, name: table.x, nameLocation: "middle", nameGap: 24,
      axisLabel: { color: quiet, fontSize: FONT, hideOverlap: true, formatter: (v) => `${v > 0 ? "+" : ""}${number(v)}`, showMinLabel: false, showMaxLabel: false },
    });
    option.yAxis = axis({
      type: "category", inverse: true, data: rows.map(([name]) => name), splitLine: { show: false },
      axisLabel: { color: ink, fontSize: FONT, interval: 0, width: 0.85 * (names - 12), overflow: "truncate" },
    });
    option.series = [
      { type: "custom", clip: true, data: rows.map((_, i) => [0, i]), encode: { x: [], y: 1 }, renderItem: (params, api) => effect(rows[params.dataIndex], params.dataIndex, api, [left - pad, right + pad]) },
      { type: "line", data: [], silent: true, markLine: { silent: true, symbol: "none", data: [{ xAxis: 0, lineStyle: { color: ink, type: "solid", width: 1 }, label: { show: false } }] } },
    ];
    return option;
  }

  function effect([, value, low, high, outcome, seen, tolerated], row, api, [left, right]) {
    const at = (x) => api.coord([Math.max(left, Math.min(right, x)), row]);
    const half = api.size([0, 1])[1] / 2;
    const stroke = { PASS: "var(--pass)", FAIL: "var(--fail)", INCONCLUSIVE: "var(--inconclusive)" }[outcome] || "var(--c0)";
    const children = [];
    const rule = (x1, x2, y1, y2, style) => children.push({ type: "line", shape: { x1, x2, y1, y2 }, style });
    if (Number.isFinite(tolerated)) {
      const [from, y] = at(0), [to] = at(tolerated);
      children.push({ type: "rect", shape: { x: from, y: y - half, width: to - from, height: 2 * half }, style: { fill: "var(--phase)", opacity: 0.18 } });
    }
    if (Number.isFinite(seen) && seen >= left && seen <= right) {
      const [x, y] = at(seen);
      rule(x, x, y - 0.6 * half, y + 0.6 * half, { stroke: quiet, lineWidth: 2 });
    }
    if (!Number.isFinite(value)) return { type: "group", children };
    const [x, y] = at(value);
    if (Number.isFinite(low) && Number.isFinite(high)) rule(at(low)[0], at(high)[0], y, y, { stroke, lineWidth: 2 });
    const failed = outcome === "FAIL";
    const shape = failed ? { x: x - 4.5, y: y - 4.5, width: 9, height: 9 } : { cx: x, cy: y, r: 4.5 };
    children.push({ type: failed ? "rect" : "circle", shape, style: { fill: outcome === "INCONCLUSIVE" ? "var(--paper)" : stroke, stroke, lineWidth: 2 } });
    return { type: "group", children };
  }

  return { chart, heat, forest, number, elapsed, color };
})();
