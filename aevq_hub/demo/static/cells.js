// The grids of both pictures: drag over cells, or click one and another with Shift, to choose a rectangle. The chosen
// cells are in the component's value at once, so that whatever is sent next has them.
const corners = ['row', 'column', 'to_row', 'to_column'];
const place = button => [button.dataset.row, button.dataset.column].map(Number);
const inside = (button, [top, left, bottom, right]) => {
    const [row, column] = place(button);
    return Math.min(top, bottom) <= row && row <= Math.max(top, bottom)
        && Math.min(left, right) <= column && column <= Math.max(left, right);
};
const chosenOf = value => Object.fromEntries(['of', ...corners].map(name => [name, value[name]]));
let mine = chosenOf(props.value);  // the model and the cells chosen here; answers to earlier clicks leave them alone
const mark = () => {
    const chosen = corners.map(name => mine[name]);
    element.querySelectorAll('.cells button').forEach(button => {
        button.setAttribute('aria-pressed', inside(button, chosen));
    });
};
const choose = chosen => {
    mine = chosenOf({of: props.value.of, ...Object.fromEntries(corners.map((name, i) => [name, chosen[i]]))});
    props.value = {...props.value, ...mine};
    mark();
};
let newest = 0;  // the version of the edits that was shown last; the tab filled anew, say for a link, has none
watch('value', () => {
    const {version = 0, of} = props.value, another = of !== mine.of;
    const differs = corners.some(name => props.value[name] !== mine[name]);
    const overtaken = version && (another || differs || version < newest);
    newest = another ? version : version && Math.max(newest, version);
    if (!version || another) mine = chosenOf(props.value);
    else if (differs) props.value = {...props.value, ...mine};
    if (overtaken) trigger('select');  // ask for the present state
});
watch('inside', mark);
const begun = () => corners.slice(0, 2).map(name => props.value[name]);
const moved = (button, extend) => {
    choose(extend ? [...begun(), ...place(button)] : [...place(button), ...place(button)]);
    trigger('select');
};
let dragging = false;
element.addEventListener('pointerdown', event => {
    const button = event.target.closest('.cells button');
    if (!button || event.button) return;
    const here = place(button);
    choose(event.shiftKey ? [...begun(), ...here] : [...here, ...here]);
    dragging = true;
    event.target.releasePointerCapture(event.pointerId);  // a touch would stay with the first cell
});
element.addEventListener('pointermove', event => {
    if (!dragging) return;
    const over = document.elementFromPoint(event.clientX, event.clientY);
    const button = over && over.closest('.cells button');
    if (button && element.contains(button)) choose([...begun(), ...place(button)]);
});
document.addEventListener('pointerup', () => { if (dragging) { dragging = false; trigger('select'); } });
element.addEventListener('click', event => {
    const button = event.target.closest('.cells button');
    if (!button || event.detail) return;  // a pointer's click is done; this one is by keyboard
    const here = place(button);
    choose(event.shiftKey ? [...begun(), ...here] : [...here, ...here]);
    trigger('select');
});
