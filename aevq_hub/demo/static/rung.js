// A row's name opens its model, as its button in the bar does.
element.addEventListener('click', event => {
    const button = event.target.closest('button[data-model]');
    const rung = button && document.querySelector(`#bar button[data-model="${button.dataset.model}"]`);
    if (rung) { rung.click(); rung.scrollIntoView({block: 'nearest', behavior: 'smooth'}); }
});
