// Faults of a layout, as a person would see them.

// findFaults returns what is wrong on the page at its present size, in words. Google's button
// is drawn again in the frame after the one in which its box gets another width.
export async function findFaults(page) {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  return page.evaluate(look);
}

function look() {
  const found = new Set();
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    found.add(`the document is ${document.documentElement.scrollWidth - width} px too wide`);
  }
  const nameOf = (e) => {
    const classes = typeof e.className === "string" && e.className ? "." + e.className.trim().split(/\s+/).join(".") : "";
    return `${e.localName}${classes} "${(e.textContent.trim() || e.getAttribute("aria-label") || "").replace(/\s+/g, " ").slice(0, 40)}"`;
  };
  // Texts for screen readers only are cut to one pixel. The stand-in's button is Google's.
  const isShown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !e.closest(".hidden, .skip, option, noscript, script, style");

  // A card keeps its texts inside, unless a part of it scrolls or shortens a text on purpose.
  const clips = (e) => getComputedStyle(e).overflowX !== "visible";
  function boxes(e) {
    const around = [];
    for (let outer = e; outer; outer = outer.parentElement) {
      if (outer.matches(".card, article, .toast, header, footer, main, body")) {
        around.push(outer);
      }
      if (clips(outer)) {
        break;
      }
    }
    return around;
  }

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    const parent = walker.currentNode.parentElement;
    if (!text || !isShown(parent) || parent.closest("svg")) {
      continue;
    }
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const rects = [...range.getClientRects()].filter((rect) => rect.width > 0);
    if (rects.length === 0) {
      continue;
    }
    const left = Math.min(...rects.map((rect) => rect.left));
    const right = Math.max(...rects.map((rect) => rect.right));
    for (const box of boxes(parent)) {
      const edge = box.getBoundingClientRect();
      if (left < edge.left - 1 || right > edge.right + 1) {
        found.add(`${nameOf(parent)} is outside ${box.localName}.${box.className}: ${Math.round(left)}-${Math.round(right)} of ${Math.round(edge.left)}-${Math.round(edge.right)}`);
      }
    }
    const lines = new Set(rects.map((rect) => Math.round(rect.top))).size;
    const widest = Math.max(...rects.map((rect) => rect.width));
    if (lines >= 3 && text.length > 12 && widest < 80) {
      found.add(`${nameOf(parent)} has ${lines} lines of at most ${Math.round(widest)} px`);
    }
  }

  for (const e of document.body.querySelectorAll("*")) {
    if (!isShown(e)) {
      continue;
    }
    const style = getComputedStyle(e);
    const isCut = clips(e) && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1;
    if (isCut && style.textOverflow !== "ellipsis" && !e.matches("pre, code, input, select, textarea, img, svg, svg *, html")) {
      found.add(`${nameOf(e)} hides ${e.scrollWidth - e.clientWidth} px of its width`);
    }
    if (e.matches("button, input, select, summary, a[href]") && !e.closest("[inert]")) {
      // A label makes the target of its field larger. A link within a text has the height of
      // the text (WCAG 2.2, success criterion 2.5.8).
      const target = (e.matches("[type=checkbox], [type=radio]") && e.closest("label")) || e;
      const rect = target.getBoundingClientRect();
      if (style.display !== "inline" && (rect.width < 23.5 || rect.height < 23.5)) {
        found.add(`${nameOf(e)} is a target of ${Math.round(rect.width)} by ${Math.round(rect.height)} px`);
      }
    }
  }
  return [...found];
}
