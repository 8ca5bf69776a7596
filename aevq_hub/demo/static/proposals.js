const moved = () => {};
element.addEventListener('click', event => {
    const button = event.target.closest('.proposals button');
    if (!button) return;
    const {seed, first, action} = button.dataset;
    trigger('select', {seed: Number(seed), first: Number(first), action});
});
