// SPDX-License-Identifier: Apache-2.0
//
// Making and updating elements. Text only ever becomes a text node: titles and names are other people's words.

const SVG = "http://www.w3.org/2000/svg";

export const find = (id) => document.getElementById(id);

function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
        if (value !== undefined && value !== null) {
            element.setAttribute(name, value);
        }
    }
    element.append(...children);
    return element;
}

export function make(tag, attributes = {}, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

export function draw(tag, attributes = {}, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Sets a text only when it differs, so that screen readers and selections are left alone. */
export function say(element, text) {
    if (element.textContent !== text) {
        element.textContent = text;
    }
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

function slide(element, from) {
    const by = from - element.getBoundingClientRect().top;
    if (by !== 0) {
        element.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }],
            { duration: 260, easing: "cubic-bezier(.2,.7,.3,1)" });
    }
}

/**
 * Makes the children of a list those of `items`, in their order. An item that was there keeps its element, and with it
 * focus and selection; elements that change place slide there. `key(item)` names it, `create(item)` makes the
 * element, `update(element, item)` is called for all.
 */
export function sync(list, items, { key, create, update, animate = false }) {
    const old = new Map();
    const places = new Map();
    for (const element of [...list.children]) {
        if (element.dataset.key === undefined) {
            element.remove();
        } else {
            old.set(element.dataset.key, element);
        }
    }
    if (animate && !calm.matches) {
        old.forEach((element) => places.set(element, element.getBoundingClientRect().top));
    }
    let next = list.firstElementChild;
    for (const item of items) {
        const name = String(key(item));
        let element = old.get(name);
        old.delete(name);
        if (!element) {
            element = create(item);
            element.dataset.key = name;
        }
        update(element, item);
        if (element === next) {
            next = next.nextElementSibling;
        } else {
            list.insertBefore(element, next);
        }
    }
    old.forEach((element) => element.remove());
    places.forEach((top, element) => element.isConnected && slide(element, top));
}
