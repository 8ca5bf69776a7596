// Arrow keys go from button to button of a group; in a radio group they choose it. A group keeps the focus when it is
// redrawn, with other buttons. Scripts that come before this one define `moved`, which is called after each step.
const groups = '[role=group], [role=radiogroup]';
const all = () => [...element.querySelectorAll(`:is(${groups}) button`)];
let focused = -1;
const visit = button => {
    button.closest(groups).querySelectorAll('button').forEach(other => other.tabIndex = other === button ? 0 : -1);
    button.focus();
};
element.addEventListener('focusin', event => focused = all().indexOf(event.target));
element.addEventListener('focusout', event => { if (event.relatedTarget) focused = -1; });
document.addEventListener('pointerdown', event => { if (!element.contains(event.target)) focused = -1; });
new MutationObserver(() => {
    const button = all()[focused];
    if (button && document.activeElement === document.body) visit(button);
}).observe(element, {childList: true, subtree: true});
element.addEventListener('keydown', event => {
    const group = event.target.closest(groups), buttons = group ? [...group.querySelectorAll('button')] : [];
    const here = buttons.indexOf(event.target);
    if (here < 0) return;
    const columns = buttons.filter(button => button.offsetTop === buttons[0].offsetTop).length;
    const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns}[event.key];
    if (!step) return;
    event.preventDefault();
    const next = buttons[here + step];
    if (!next || (Math.abs(step) === 1 && next.offsetTop !== buttons[here].offsetTop)) return;
    visit(next);
    if (group.getAttribute('role') === 'radiogroup') next.click();
    else moved(next, event.shiftKey);
});
