element.addEventListener('click', event => {
    const button = event.target.closest('button[data-column]');
    if (button) trigger('select', {column: Number(button.dataset.column), shift: Number(button.dataset.shift)});
});
const moved = () => {};
