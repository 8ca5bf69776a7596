// Arrow keys go from button to button. A group keeps the focus when it is redrawn, with other buttons.
// Scripts that come before this one define `moved`, which is called after each step.
const buttons = () => [...element.querySelectorAll('[role=group] button')];
const place = button => buttons().indexOf(button);
let focused = -1;
const visit = button => { buttons().forEach(other => other.tabIndex = other === button ? 0 : -1); button.focus(); };
element.addEventListener('focusin', event => focused = place(event.target));
element.addEventListener('focusout', event => { if (event.relatedTarget) focused = -1; });
document.addEventListener('pointerdown', event => { if (!element.contains(event.target)) focused = -1; });
new MutationObserver(() => {
    const button = buttons()[focused];
    if (button && document.activeElement === document.body) { visit(button); }
}).observe(element, {childList: true, subtree: true});
element.addEventListener('keydown', event => {
    const all = buttons(), here = place(event.target), top = all[0] && all[0].offsetTop;
    const columns = all.filter(button => button.offsetTop === top).length;
    const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns}[event.key];
    if (here < 0 || !step) return;
    event.preventDefault();
    const next = all[here + step];
    if (!next || (Math.abs(step) === 1 && next.offsetTop !== all[here].offsetTop)) return;
    visit(next);
    moved(next, event.shiftKey);
});
