"""What of a tile's words lies over other words, or is cut: measured in the browser."""

from __future__ import annotations

from typing import Final

# Each piece of text that is seen, as tall as its letters; cut by what hides its overflow. A line
# that ends in three dots is allowed only for what `may_end` names.
TOUCHING: Final = """(mayEnd) => {
  const cutBy = (box, node, tile) => {
    const seen = { ...box };
    for (let up = node; up !== tile.parentElement; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (style.visibility !== "visible" || style.clipPath !== "none") return null;
      if (style.overflow === "visible") continue;
      const edge = up.getBoundingClientRect();
      seen.left = Math.max(seen.left, edge.left);
      seen.right = Math.min(seen.right, edge.right);
      seen.top = Math.max(seen.top, edge.top);
      seen.bottom = Math.min(seen.bottom, edge.bottom);
    }
    return seen.right - seen.left > 2 && seen.bottom - seen.top > 2 ? seen : null;
  };
  const pieces = (tile) => {
    const found = [];
    const walk = document.createTreeWalker(tile, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const node = walk.currentNode;
      const words = node.textContent.trim();
      if (!words) continue;
      const half = parseFloat(getComputedStyle(node.parentElement).fontSize) * 0.46;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const line of range.getClientRects()) {
        const middle = (line.top + line.bottom) / 2;
        const [top, bottom] = [middle - half, middle + half];
        const box = { left: line.left, right: line.right, top, bottom };
        const seen = cutBy(box, node.parentElement, tile);
        if (seen) found.push({ node, words, box, seen });
      }
    }
    return found;
  };
  const wrong = [];
  for (const tile of document.querySelectorAll(".tile")) {
    const bed = tile.querySelector("h2").innerText;
    const all = pieces(tile);
    for (const { node, words, box, seen } of all) {
      const low = seen.bottom < box.bottom - 1.5 || seen.top > box.top + 1.5;
      const short = seen.right < box.right - 2 && !node.parentElement.closest(mayEnd);
      if (low || short) wrong.push(`bed ${bed}: "${words}" is cut`);
    }
    all.forEach((one, index) => {
      for (const other of all.slice(index + 1)) {
        if (one.node === other.node) continue;
        const [a, b] = [one.seen, other.seen];
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const tall = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 1 && tall > 1) wrong.push(`bed ${bed}: "${one.words}" over "${other.words}"`);
      }
    });
  }
  return wrong;
}"""
