// What a reader of a page sees: every text with its size, its contrast, and its place; what is cut, over, or beyond.
(() => {
  const root = document.documentElement, found = { texts: 0, small: [], pale: [], over: [], beyond: [], cut: [] };
  const channel = (value) => { value /= 255; return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
  const luminance = ([red, green, blue]) => 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const parsed = (colour) => { const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  // The ground of a page, in whose own colour scheme and medium nothing is painted: a printer leaves backgrounds out.
  const paper = [255, 255, 255];
  const isPrinted = matchMedia("print").matches;
  const groundOf = (element) => {
    if (element instanceof SVGElement) return groundInPicture(element);
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      const isPainted = !isPrinted || style.printColorAdjust === "exact";
      if (isPainted) layers.push(parsed(style.backgroundColor));
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), paper);
  };
  // In a picture, the last filled rectangle before the text that lies under its middle.
  const groundInPicture = (text) => {
    const box = text.getBoundingClientRect(), x = (box.left + box.right) / 2, y = (box.top + box.bottom) / 2;
    let ground = paper;
    for (const rect of text.ownerSVGElement.querySelectorAll("rect")) {
      if (!(rect.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING)) continue;
      const place = rect.getBoundingClientRect(), fill = getComputedStyle(rect).fill;
      const isUnder = place.left <= x && x <= place.right && place.top <= y && y <= place.bottom;
      if (isUnder && fill !== "none") ground = over(parsed(fill), ground);
    }
    return ground;
  };
  const sizeOf = (element) => {
    const size = parseFloat(getComputedStyle(element).fontSize);
    return element instanceof SVGElement ? size * element.getScreenCTM().a : size;
  };
  const shown = [], walker = document.createTreeWalker(document.body || root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement, text = node.data.trim();
    if (!text || ["STYLE", "SCRIPT", "title", "style"].includes(element.tagName)) continue;
    if (!element.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const places = [...range.getClientRects()].filter((place) => place.width > 0.5);
    if (!places.length) continue;
    found.texts += 1;
    const style = getComputedStyle(element), size = sizeOf(element);
    if (size < 12) found.small.push(`${size.toFixed(1)}: ${text}`);
    const ink = parsed(element instanceof SVGElement ? style.fill : style.color), ground = groundOf(element);
    const ratio = contrast(over(ink, ground), ground);
    if (ratio < 4.5) found.pale.push(`${ratio.toFixed(2)}: ${text}`);
    for (const place of places) {
      if (place.right > root.clientWidth + 0.5 || place.left < -0.5) found.beyond.push(text);
      shown.push({ text, node, place });
    }
  }
  shown.sort((a, b) => a.place.top - b.place.top);
  shown.forEach((one, index) => {
    for (const other of shown.slice(index + 1)) {
      if (other.place.top > one.place.bottom) break;
      const [a, b] = [one.place, other.place];
      const isOver = a.left < b.right - 1 && b.left < a.right - 1 && b.top < a.bottom - 4 && a.top < b.bottom - 4;
      if (isOver && one.node !== other.node) found.over.push(`${one.text} / ${other.text}`);
    }
  });
  for (const element of document.querySelectorAll("body *")) {
    if (element instanceof SVGElement || !element.checkVisibility()) continue;
    const isClipped = getComputedStyle(element).overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1;
    if (isClipped) found.cut.push(element.className || element.tagName);
  }
  found.scrolls = root.scrollWidth > root.clientWidth;
  found.fetched = performance.getEntriesByType("resource").length;
  found.bars = [...document.querySelectorAll(".track i")].filter((bar) => {
    const [a, b] = [bar.getBoundingClientRect(), bar.parentElement.getBoundingClientRect()];
    return a.left < b.left - 1 || a.right > b.right + 3;
  }).map((bar) => bar.title);
  return found;
})()
