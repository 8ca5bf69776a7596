// The server may answer clicks in another order than they were made. So each click tells which cells were chosen last:
// window.chosenCells has them, corner to corner, until the page shows them as chosen.
const shown = () => { const group = element.querySelector('.cells'); return group && group.dataset.chosen; };
const tell = (button, extend) => {
    const here = [button.dataset.row, button.dataset.column].map(Number);
    const begun = extend ? window.chosenCells || shown().split(',').map(Number) : here;
    window.chosenCells = [...begun.slice(0, 2), ...here];
    trigger('select');
};
new MutationObserver(() => {
    if (String(window.chosenCells) === shown()) window.chosenCells = null;
}).observe(element, {childList: true, subtree: true});
const moved = (button, extend) => { if (extend) tell(button, true); };
element.addEventListener('click', event => {
    const button = event.target.closest('.cells button');
    if (button) tell(button, event.shiftKey);
});
