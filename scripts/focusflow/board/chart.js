// SPDX-License-Identifier: Apache-2.0
//
// Focus by day: bars as SVG in real pixels (so that text keeps its size on a phone), and the same figures as a table
// for those who do not see it. A day that is not known yet is a low pale bar.
import { draw, find, make, say } from "./dom.js";
import { dateParts, hours } from "./format.js";

const TOP = 18, BOTTOM = 36, LEFT = 26, BAR = 34;

/** A round number that is at least `most`, and the steps to it. */
function scale(most) {
    const raw = Math.max(most, 1) / 3;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= raw);
    return [0, 1, 2, 3].map((i) => i * step);
}

function column(date, value, box) {
    const { weekday, day, month } = dateParts(date);
    const known = value !== undefined;
    const height = known ? (value / box.most) * box.height : 6;
    const top = TOP + box.height - height;
    const radius = Math.min(5, height, box.bar / 2);
    const x = box.middle - box.bar / 2;
    const bar = `M${x} ${TOP + box.height}v${radius - height}q0 ${-radius} ${radius} ${-radius}h${box.bar - 2 * radius}` +
        `q${radius} 0 ${radius} ${radius}v${height - radius}z`;
    const text = (y, words, cls) => draw("text", { x: box.middle, y, "text-anchor": "middle", class: cls }, words);
    const group = draw("g", { class: [box.today ? "today" : "", known ? "" : "waiting"].join(" ").trim() },
        draw("path", { class: "bar-of-day", d: height > 0 ? bar : "" }),
        text(TOP + box.height + 16, weekday.slice(0, box.narrow ? 1 : 3)),
        text(TOP + box.height + 31, day === "1" && !box.narrow ? month : day));
    if (value > 0) {
        group.append(text(top - 5, box.narrow && value >= 10 ? String(Math.round(value)) : hours(value), "value"));
    }
    return group;
}

export function showDays(days, today) {
    const plot = find("plot");
    const style = getComputedStyle(plot);
    const width = plot.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = plot.clientHeight - parseFloat(style.paddingBottom);
    const values = [...days.values()].filter((v) => v !== undefined);
    const ticks = scale(Math.max(0, ...values));
    const most = ticks[3], inner = height - TOP - BOTTOM, slot = (width - LEFT) / Math.max(1, days.size);
    const svg = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
    for (const tick of ticks) {
        const y = TOP + inner - (tick / most) * inner;
        svg.append(draw("line", { class: "rule", x1: LEFT, x2: width, y1: y, y2: y }),
            draw("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, hours(tick)));
    }
    [...days].forEach(([date, value], i) => svg.append(column(date, value, {
        most, height: inner, middle: LEFT + slot * (i + 0.5), bar: Math.min(BAR, slot * 0.68), today: date === today,
        narrow: slot < 36,
    })));
    plot.replaceChildren(svg);
    find("days").replaceChildren(...[...days].map(([date, value]) => make("tr", {},
        make("th", { scope: "row" }, date), make("td", {}, value === undefined ? "–" : hours(value)))));
    const sum = values.reduce((a, b) => a + b, 0);
    say(find("days-sub"), values.length < days.size ? "Last 14 days" : `Last 14 days · ${hours(sum)} h`);
}
