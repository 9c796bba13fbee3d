// As much of a document as the views use. What makes markup out of text is not there: a view that tried would fail.
class Text {
  constructor(text) { this.text = String(text); }
  get textContent() { return this.text; }
}

class Element {
  constructor(tag) {
    this.tag = tag;
    this.attributes = new Map();
    this.childNodes = [];
    this.parentElement = null;
    this.listeners = new Map();
    this.style = { properties: new Map(), setProperty: (name, value) => this.style.properties.set(name, value) };
  }
  set innerHTML(_) { throw new Error("innerHTML makes markup out of text"); }
  set outerHTML(_) { throw new Error("outerHTML makes markup out of text"); }

  setAttribute(name, value) { this.attributes.set(name, String(value)); }
  getAttribute(name) { return this.attributes.has(name) ? this.attributes.get(name) : null; }
  removeAttribute(name) { this.attributes.delete(name); }
  append(...nodes) {
    for (const node of nodes) {
      const child = node instanceof Element ? node : new Text(node);
      if (child instanceof Element) child.parentElement = this;
      this.childNodes.push(child);
    }
  }
  replaceChildren(...nodes) { this.childNodes = []; this.append(...nodes); }
  get textContent() { return this.childNodes.map((node) => node.textContent).join(" "); }
  set textContent(text) { this.childNodes = [new Text(text)]; }
  addEventListener(type, listener) { this.listeners.set(type, listener); }
  fire(type, event = {}) { this.listeners.get(type)({ target: this, preventDefault() {}, ...event }); }
  focus() { Element.focused = this; }
  getBoundingClientRect() { return { height: 100 + this.querySelectorAll('[role="treeitem"]').length }; }

  // ".class" and '[name="value"]' only.
  matches(selector) {
    const attribute = selector.match(/^\[([a-z-]+)="([^"]*)"\]$/);
    if (attribute) return this.getAttribute(attribute[1]) === attribute[2];
    if (!/^\.[a-z]+$/.test(selector)) throw new Error("the fake document does not know " + selector);
    return (this.getAttribute("class") || "").split(" ").includes(selector.slice(1));
  }
  closest(selector) { return this.matches(selector) ? this : this.parentElement && this.parentElement.closest(selector); }
  querySelectorAll(selector) {
    return this.childNodes.filter((node) => node instanceof Element)
      .flatMap((child) => [...(child.matches(selector) ? [child] : []), ...child.querySelectorAll(selector)]);
  }
  querySelector(selector) { return this.querySelectorAll(selector)[0] || null; }
}

export function fakeDocument() {
  const root = new Element("html");
  const body = new Element("body");
  const view = new Element("main");
  root.append(body);
  body.append(view);
  view.setAttribute("aria-busy", "true");
  return {
    documentElement: root, body, view,
    focused: () => Element.focused,
    createElement: (tag) => new Element(tag),
    getElementById: (id) => (id === "view" ? view : null),
  };
}
