// A click or Enter on a button that names a vector or a start
element.addEventListener('click', event => {
    const button = event.target.closest('button[data-vector], button[data-start]');
    if (button) trigger('select', {vector: button.dataset.vector, start: button.dataset.start});
});
const moved = () => {};
