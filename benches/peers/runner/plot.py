"""The picture of the page: kettle against the best peer of each workload, on a scale of factors."""

import math
from html import escape

WIDTH, LEFT, RIGHT, ROW, TOP, BOTTOM = 860, 400, 130, 20, 44, 30
AHEAD, LEVEL, BEHIND = "#2a7f62", "#8a8a8a", "#b5532a"


def bars(rows):
    """`rows`: label, peer, ratio; the ratio's direction is such that less is better. An SVG."""
    least = min([ratio.low for _, _, ratio in rows] + [0.5])
    most = max([ratio.high for _, _, ratio in rows] + [2])
    first, last = math.floor(math.log2(least)), math.ceil(math.log2(most))

    def x(value):
        return LEFT + (math.log2(value) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    height = TOP + ROW * len(rows) + BOTTOM
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
             f'<text x="12" y="20" font-size="14">kettle / the best peer at each: left of 1 kettle is ahead</text>']
    every = math.ceil((last - first) / 8)
    for power in range(first, last + 1):
        if power % every:
            continue
        at, value = x(2.0**power), 2.0**power
        shown = f"{value:g}" if value >= 1 else f"1/{1 / value:g}"
        parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP - 6}" y2="{height - BOTTOM}" '
                     f'stroke="{"#333333" if power == 0 else "#dddddd"}"/>')
        parts.append(f'<text x="{at:.1f}" y="{height - BOTTOM + 16}" text-anchor="middle" fill="#555555">{shown}</text>')
    for number, (label, peer, ratio) in enumerate(rows):
        y = TOP + number * ROW
        colour = AHEAD if ratio.high < 1 else BEHIND if ratio.low > 1 else LEVEL
        begin, end = sorted([x(1), x(ratio.value)])
        parts.append(f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<rect x="{begin:.1f}" y="{y + 2}" width="{end - begin:.1f}" height="{ROW - 8}" fill="{colour}"/>')
        parts.append(f'<line x1="{x(ratio.low):.1f}" x2="{x(ratio.high):.1f}" y1="{y + 8}" y2="{y + 8}" stroke="#000000"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 12}" fill="#333333">{ratio.value:.2f} {escape(peer)}</text>')
    return "\n".join([*parts, "</svg>", ""])
