/**
 * MathML drawn by the browser: the only markup that content may become.
 *
 * The server has reduced it to what is harmless; it is looked at once more, and built anew from
 * names that are listed here, so that nothing else can come through. What holds anything else is
 * not drawn.
 */

const MATHML = "http://www.w3.org/1998/Math/MathML";

const ELEMENTS = new Set(
  "math mi mn mo ms mtext mspace mrow mfrac msqrt mroot mstyle merror mpadded mphantom msub msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd menclose".split(" "),
);
const ATTRIBUTES = new Set(
  "accent accentunder bevelled columnalign columnlines columnspacing columnspan data-lines depth display displaystyle fence form frame framespacing height largeop linethickness lspace mathvariant maxsize minsize movablelimits notation rowalign rowlines rowspacing rowspan rspace scriptlevel separator stretchy symmetric voffset width".split(" "),
);
const MOST_NODES = 5000;

/** An element to put into the page; null for what is no harmless MathML. */
export function drawn(text) {
  if (!text) return null;
  const parsed = new DOMParser().parseFromString(text, "application/xml");
  const root = parsed.documentElement;
  if (parsed.getElementsByTagName("parsererror").length || root.localName !== "math") return null;
  if (parsed.getElementsByTagName("*").length > MOST_NODES) return null;
  return built(root);
}

function built(node) {
  if ((node.namespaceURI ?? MATHML) !== MATHML || !ELEMENTS.has(node.localName)) return null;
  const made = document.createElementNS(MATHML, node.localName);
  for (const { name, value, namespaceURI } of node.attributes) {
    if (namespaceURI == null && ATTRIBUTES.has(name)) made.setAttribute(name, value);
  }
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) made.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE) {
      const inner = built(child);
      if (inner === null) return null;
      made.append(inner);
    }
  }
  return made;
}
