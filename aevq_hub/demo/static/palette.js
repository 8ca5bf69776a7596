element.addEventListener('click', event => {
    const button = event.target.closest('.palette button');
    if (!button) return;
    all().forEach(other => other.setAttribute('aria-pressed', other === button));
    trigger('select', {code: Number(button.dataset.code)});
});
const moved = () => {};
