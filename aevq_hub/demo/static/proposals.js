element.addEventListener('click', event => {
    const button = event.target.closest('.proposals button');
    if (!button) return;
    all().forEach(other => other.setAttribute('aria-pressed', other === button));
    trigger('select', {cells: button.dataset.cells});
});
const moved = () => {};
