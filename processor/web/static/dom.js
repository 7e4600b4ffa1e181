/** Elements, made and changed. Content is only ever set as text. */

export const find = (id) => document.getElementById(id);

/** An element; `attributes` are the page's own, never content. Children: nodes or text. */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}

/** Set the text of a node, unless it says so already: selections and screen readers stay calm. */
export function tell(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node, isShown) {
  if (node.hidden === isShown) node.hidden = !isShown;
}

export function mark(node, name, value) {
  if (value == null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/**
 * One child for each value, kept by its key, which no other value has, in the order of the values:
 * what stays the same keeps its node, and with it focus and selection. Where the child that had the
 * focus is gone, whatever takes its place has it.
 */
export function sync(parent, values, keyOf, create, update) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const focusedAt = Array.from(parent.children).findIndex((child) => child.contains(focused));
  const wanted = new Set(values.map((value) => String(keyOf(value))));
  for (const child of [...parent.children]) if (!wanted.has(child.dataset.key)) child.remove();
  const kept = new Map(Array.from(parent.children, (child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const value of values) {
    const key = String(keyOf(value));
    let node = kept.get(key);
    if (!node) {
      node = create(value);
      node.dataset.key = key;
    }
    update(node, value);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  if (focused === null || focused === document.activeElement) return;
  const heir = focused.isConnected ? focused : parent.children[Math.min(focusedAt, values.length - 1)];
  heir?.focus({ preventScroll: true }); // a node that is moved loses it
}

/** The project's own words, in which `backticks` hold what is to be typed. */
export function words(node, text) {
  if (node.dataset.words === text) return node;
  node.dataset.words = text;
  node.replaceChildren(...text.split("`").map((piece, at) => (at % 2 ? make("code", {}, piece) : piece)));
  return node;
}

/** The parts of a node by their `data-part`. */
export function part(node, name) {
  return node.querySelector(`[data-part="${name}"]`);
}

/** A button that puts a text into the clipboard, and says so. */
export function copyButton(text, what) {
  const button = make("button", { type: "button", class: "copy", "aria-label": `Copy ${what}` }, "Copy");
  button.addEventListener("click", async () => {
    button.textContent = (await copied(text)) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text); // no permission, or an old browser
  }
}

function copiedByHand(text) {
  const field = make("textarea", { class: "hidden", readonly: true });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
